"""Pictures of triangle meshes in known poses."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from holonomy._core.parallel import in_threads, thread_count
from holonomy._core.validation import as_numpy, check_float, check_int
from holonomy.datasets.cameras import PinholeCamera
from holonomy.datasets.mesh_surfaces import check_mesh, vertex_normals

AT_ONCE = 128
"""Pictures drawn between two reductions of their finer pixels."""


def render_mesh(
    vertices: ArrayLike,
    faces: ArrayLike,
    R: ArrayLike,
    *,
    camera: PinholeCamera | None = None,
    light: ArrayLike = (0.3, 0.5, 1.0),
    ambient: float = 0.25,
    colors: ArrayLike = 0.8,
    background: ArrayLike = 0.0,
    supersample: int = 2,
    return_depth: bool = False,
) -> Any:
    """Draw a triangle mesh in given poses: pinhole camera, depth buffer, Lambert's law, smooth normals.

    The same bits for any number of threads.

    Parameters
    ----------
    vertices : array-like of shape (m, 3)
        The object, about the origin. All of it must lie in front of the camera; `unit_mesh` sees to that.
    faces : array-like of int, shape (f, 3)
        Rows of ``vertices``.
    R : array-like of shape (3, 3) or (n, 3, 3)
        Rotations from the object's axes to those of the camera: x right, y up, z to the viewer.
    camera : PinholeCamera, optional
        64 x 64 pixels by default.
    light : array-like of shape (3,) or (n, 3), default (0.3, 0.5, 1.0)
        Direction to the light, in the axes of the camera.
    ambient : float, default 0.25
        Share of the light that comes from everywhere, in [0, 1].
    colors : float or array-like of shape (3,), (m, 3) or (n, m, 3), default 0.8
        Red, green and blue in [0, 1] of the object, of its vertices, or of these in each picture.
    background : float or array-like that broadcasts to (n, size, size, 3), default 0.0
        What is behind the object, in [0, 1].
    supersample : int, default 2
        Pixels are averages of so many squared finer ones.
    return_depth : bool, default False
        Whether to return depths too.

    Returns
    -------
    images : ndarray of float32, shape (n, size, size, 3), or (size, size, 3) for one pose
        Values in [0, 1].
    depth : ndarray of float32, shape (n, size, size)
        Distance of the nearest point in a pixel, infinite where there is none.

    Raises
    ------
    ValueError
        If a shape is wrong, a number is out of range, a matrix is no rotation, or the object reaches the camera.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.datasets import render_mesh
    >>> triangle = np.array([[-0.5, -0.5, 0.0], [0.5, -0.5, 0.0], [0.0, 0.5, 0.0]])
    >>> image = render_mesh(triangle, [[0, 1, 2]], np.eye(3))
    >>> image.shape, bool(image[32, 32, 0] > 0.5), float(image[0, 0, 0])
    ((64, 64, 3), True, 0.0)
    """
    camera = PinholeCamera() if camera is None else camera
    points, triangles = check_mesh(vertices, faces)
    poses, is_single = _checked_rotations(R)
    n, size = len(poses), camera.size
    _check_reach(points, camera)
    check_float(ambient, "ambient", minimum=0.0, maximum=1.0)
    check_int(supersample, "supersample", minimum=1)
    scene = _Scene(points, vertex_normals(points, triangles), triangles, float(ambient), camera, supersample)
    lights = _directions(light, n)
    paints = _broadcast(colors, "colors", (n, len(points), 3))
    behind = _broadcast(background, "background", (n, size, size, 3))
    images = np.empty((n, size, size, 3), dtype=np.float32)
    depths = np.empty((n, size, size), dtype=np.float32)
    for first in range(0, n, AT_ONCE):
        rows = slice(first, first + AT_ONCE)
        images[rows], depths[rows] = scene.drawn(poses[rows], lights[rows], paints[rows], behind[rows])
    images, depths = (images[0], depths[0]) if is_single else (images, depths)
    return (images, depths) if return_depth else images


@dataclass(frozen=True)
class _Scene:
    """What all pictures have in common."""

    points: np.ndarray
    normals: np.ndarray
    triangles: np.ndarray
    ambient: float
    camera: PinholeCamera
    finer: int

    def drawn(
        self, poses: np.ndarray, lights: np.ndarray, paints: np.ndarray, behind: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return pictures and depths, averages and minima of finer pixels."""
        from holonomy.datasets._raster import rasterize

        canvas = np.repeat(np.repeat(behind, self.finer, axis=1), self.finer, axis=2)
        depth = np.full(canvas.shape[:3], np.inf)
        own = paints[:1] if paints.strides[0] == 0 else paints
        scene = (
            self.points,
            self.normals,
            np.ascontiguousarray(own),
            self.triangles,
            poses,
            lights,
            self.ambient,
            self.camera.focal * self.finer,
            self.camera.distance,
            canvas,
            depth,
        )
        in_threads(lambda picture: rasterize(*scene, picture, picture + 1), range(len(canvas)), thread_count())
        size = self.camera.size
        blocks = (len(canvas), size, self.finer, size, self.finer)
        return canvas.reshape(*blocks, 3).mean(axis=(2, 4)), depth.reshape(blocks).min(axis=(2, 4))


def _check_reach(points: np.ndarray, camera: PinholeCamera) -> None:
    reach = float(np.linalg.norm(points, axis=1).max())
    if reach >= camera.distance:
        raise ValueError(
            f"vertices reach {reach:.3g} from the origin, and the camera is at a distance of {camera.distance:.3g}; "
            "use unit_mesh, or a camera farther away."
        )


def _checked_rotations(R: Any) -> tuple[np.ndarray, bool]:
    import torch

    from holonomy.manifolds import check_rotations

    poses = np.ascontiguousarray(as_numpy(R), dtype=np.float64)
    if poses.ndim not in (2, 3):
        raise ValueError(f"R must have shape (3, 3) or (n, 3, 3), got {poses.shape}.")
    # Rotations from a network are right to single precision.
    check_rotations(torch.from_numpy(poses.astype(np.float32)), "R")
    return poses.reshape(-1, 3, 3), poses.ndim == 2


def _directions(light: Any, n: int) -> np.ndarray:
    directions = _broadcast(light, "light", (n, 3), maximum=None)
    length = np.linalg.norm(directions, axis=-1, keepdims=True)
    if n and not length.all():
        raise ValueError("light must be a direction, got a vector of length 0.")
    return np.ascontiguousarray(directions / length)


def _broadcast(value: Any, name: str, shape: tuple[int, ...], maximum: float | None = 1.0) -> np.ndarray:
    array = np.asarray(as_numpy(value), dtype=np.float64)
    try:
        result = np.broadcast_to(array, shape)
    except ValueError:
        raise ValueError(f"{name} must broadcast to shape {shape}, got {array.shape}.") from None
    if not np.isfinite(array).all() or (maximum is not None and ((array < 0) | (array > maximum)).any()):
        raise ValueError(f"{name} must be finite{'' if maximum is None else ' and in [0, 1]'}.")
    return result
