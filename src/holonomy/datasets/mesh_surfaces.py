"""Points, normals and size of triangle meshes."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from holonomy._core.random import RandomState, generator
from holonomy._core.validation import check_int, check_points


def unit_mesh(vertices: ArrayLike) -> np.ndarray:
    """Move a mesh so that the middle of its bounding box is the origin, and scale it to a largest radius of 1.

    Parameters
    ----------
    vertices : array-like of shape (m, 3)
        The mesh.

    Returns
    -------
    ndarray of float64, shape (m, 3)

    Raises
    ------
    ValueError
        If the shape is wrong, a number is not finite, or all vertices coincide.

    Examples
    --------
    >>> from holonomy.datasets import unit_mesh
    >>> unit_mesh([[1, 1, 1], [3, 1, 1], [2, 1, 1]]).tolist()
    [[-1.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 0.0]]
    """
    points = _checked_vertices(vertices)
    centred = points - 0.5 * (points.min(axis=0) + points.max(axis=0))
    reach = float(np.linalg.norm(centred, axis=1).max())
    if reach == 0.0:
        raise ValueError("vertices must not all coincide.")
    return centred / reach


def sample_surface(
    vertices: ArrayLike, faces: ArrayLike, n_points: int, *, n_sets: int | None = None, random_state: RandomState = None
) -> np.ndarray:
    """Draw points of a surface, uniform by area.

    Parameters
    ----------
    vertices : array-like of shape (m, 3)
        The mesh.
    faces : array-like of int, shape (f, 3)
        Rows of ``vertices``.
    n_points : int
        How many points.
    n_sets : int, optional
        How many independent sets of so many points; one, without an axis for it, by default.
    random_state : int, Generator, RandomState or None
        Seed.

    Returns
    -------
    ndarray of float64, shape (n_points, 3) or (n_sets, n_points, 3)

    Raises
    ------
    ValueError
        If the mesh is malformed or has no area, or a number is below 1.

    Examples
    --------
    >>> from holonomy.datasets import sample_surface
    >>> sample_surface([[0, 0, 0], [1, 0, 0], [0, 1, 0]], [[0, 1, 2]], 5, random_state=0).shape
    (5, 3)
    """
    points, triangles = check_mesh(vertices, faces)
    count = check_int(n_points, "n_points", minimum=1)
    shape = (count,) if n_sets is None else (check_int(n_sets, "n_sets", minimum=1), count)
    corners = points[triangles]
    areas = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    if not areas.sum() > 0.0:
        raise ValueError("faces must have some area, got none.")
    source = generator(random_state, "surface")
    chosen = corners[source.choice(len(triangles), size=shape, p=areas / areas.sum())]
    # The root makes points uniform between the first corner and the edge across.
    root, along = np.sqrt(source.random(shape))[..., None], source.random(shape)[..., None]
    across = chosen[..., 1, :] * (1.0 - along) + chosen[..., 2, :] * along
    return chosen[..., 0, :] * (1.0 - root) + root * across


def vertex_normals(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Return the means (m, 3) of the normals of the triangles at every vertex, weighted by area; 0 without a triangle.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.datasets.mesh_surfaces import vertex_normals
    >>> vertex_normals(np.eye(3)[[2, 0, 1]], np.array([[0, 1, 2]]))[0].round(3).tolist()
    [0.577, 0.577, 0.577]
    """
    corners = points[triangles]
    doubled = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals = np.zeros_like(points)
    for corner in range(3):
        np.add.at(normals, triangles[:, corner], doubled)
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    return normals / np.where(length > 0.0, length, 1.0)


def check_mesh(vertices: Any, faces: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return vertices (m, 3) as float64 and faces (f, 3) as int64, contiguous.

    Raises
    ------
    ValueError
        If a shape is wrong, a number is not finite, or a face names a vertex that does not exist.
    """
    points = _checked_vertices(vertices)
    triangles = np.asarray(faces)
    if triangles.ndim != 2 or triangles.shape[1] != 3 or triangles.dtype.kind not in "iu" or not len(triangles):
        raise ValueError(
            f"faces must be integers of shape (f, 3) with f >= 1, got {triangles.dtype} of shape {triangles.shape}."
        )
    if triangles.min() < 0 or triangles.max() >= len(points):
        raise ValueError(
            f"faces must name vertices 0 to {len(points) - 1}, got {triangles.min()} to {triangles.max()}."
        )
    return points, np.ascontiguousarray(triangles, dtype=np.int64)


def _checked_vertices(vertices: Any) -> np.ndarray:
    points = np.ascontiguousarray(check_points(vertices, name="vertices", dtype=np.float64))
    if points.shape[1] != 3:
        raise ValueError(f"vertices must have shape (m, 3), got {points.shape}.")
    return points
