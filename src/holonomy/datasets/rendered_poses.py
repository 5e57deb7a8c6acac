"""Pictures of meshes in random poses that are known exactly."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.utils import Bunch

from holonomy._core.random import RandomState, check_seed, derive_seed, generator
from holonomy._core.validation import check_float, check_int, check_option
from holonomy.datasets.cameras import PinholeCamera
from holonomy.datasets.mesh_surfaces import unit_mesh
from holonomy.datasets.rendering import AT_ONCE, render_mesh

PATCHES = 4
"""Random colours along each side of a background, between which it is blended."""


def make_rendered_poses(
    meshes: Sequence[Any],
    n_samples: int = 1000,
    *,
    camera: PinholeCamera | None = None,
    yaw: float = 180.0,
    pitch: float = 30.0,
    roll: float = 30.0,
    poses: str = "angles",
    background: str = "random",
    light: str = "random",
    noise: float = 0.0,
    random_state: RandomState = None,
) -> Bunch:
    """Pictures of triangle meshes in random poses, with the exact rotation of each.

    A pose is ``Ry(yaw) Rx(pitch) Rz(roll)`` in the axes of the camera: x right, y up, z to the viewer.

    Parameters
    ----------
    meshes : sequence of (vertices, faces)
        One or more objects, brought to radius 1; every picture shows one of them, in a random colour.
    n_samples : int, default 1000
        How many pictures.
    camera : PinholeCamera, optional
        32 x 32 pixels by default.
    yaw, pitch, roll : float, default 180.0, 30.0 and 30.0
        Degrees; angles are uniform between plus and minus these.
    poses : {"angles", "uniform"}, default "angles"
        ``"uniform"`` draws any rotation, all alike (Haar measure), instead of the three angles.
    background : {"random", "black"}, default "random"
        Random colours, blended into one another, or black.
    light : {"random", "fixed"}, default "random"
        Directions from the half space of the viewer, or one.
    noise : float, default 0.0
        Standard deviation of noise in every pixel, where white is 1.
    random_state : int, Generator, RandomState or None
        Seed. Poses do not depend on the other options.

    Returns
    -------
    Bunch
        ``images`` (n, size, size, 3) uint8; ``R`` (n, 3, 3) rotations from the object's axes to the camera's;
        ``angles`` (n, 3) yaw, pitch and roll in degrees, NaN for uniform poses; ``mesh`` (n,) the number of the object;
        ``camera``; ``DESCR``.

    Raises
    ------
    ValueError
        If there is no mesh, one is malformed, or a number is out of range.

    Examples
    --------
    >>> from holonomy.datasets import make_rendered_poses
    >>> tetrahedron = [[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], [[0, 1, 2], [0, 1, 3], [0, 2, 3], [1, 2, 3]]
    >>> data = make_rendered_poses([tetrahedron], 10, random_state=0)
    >>> data.images.shape, data.R.shape
    ((10, 32, 32, 3), (10, 3, 3))
    """
    camera = PinholeCamera(size=32) if camera is None else camera
    n = check_int(n_samples, "n_samples", minimum=1)
    given = {"yaw": yaw, "pitch": pitch, "roll": roll}
    limits = [check_float(value, name, minimum=0.0, maximum=180.0) for name, value in given.items()]
    check_option(poses, "poses", ("angles", "uniform"))
    check_option(background, "background", ("black", "random"))
    check_option(light, "light", ("fixed", "random"))
    check_float(noise, "noise", minimum=0.0)
    if not len(meshes):
        raise ValueError("meshes must hold at least one (vertices, faces), got none.")
    objects = [(unit_mesh(vertices), np.asarray(faces)) for vertices, faces in meshes]
    seed = check_seed(random_state)
    R, angles = _random_poses(n, limits, poses, seed)
    which = generator(seed, "mesh").integers(len(objects), size=n)
    paints = generator(seed, "colors").uniform(0.4, 1.0, size=(n, 1, 3))
    lights = _random_lights(n, seed) if light == "random" else np.tile([0.3, 0.5, 1.0], (n, 1))
    images = np.empty((n, camera.size, camera.size, 3), dtype=np.uint8)
    for first in range(0, n, AT_ONCE):
        rows = np.arange(first, min(first + AT_ONCE, n))
        drawn = np.zeros((len(rows), camera.size, camera.size, 3), dtype=np.float32)
        if background == "random":
            drawn[:] = _random_backgrounds(len(rows), camera.size, derive_seed(seed, first))
        for number, (vertices, faces) in enumerate(objects):
            own = which[rows] == number
            shown = rows[own]
            looks = {"light": lights[shown], "colors": paints[shown], "background": drawn[own]}
            drawn[own] = render_mesh(vertices, faces, R[shown], camera=camera, **looks)
        if noise:
            drawn += noise * generator(seed, "noise", first).standard_normal(drawn.shape, dtype=np.float32)
        images[rows] = np.clip(np.rint(255.0 * drawn), 0, 255)
    text = f"{n} pictures of {len(objects)} meshes in {'uniformly random' if poses == 'uniform' else 'random'} poses."
    return Bunch(images=images, R=R, angles=angles, mesh=which, camera=camera, DESCR=text)


def _random_poses(n: int, limits: Sequence[float], poses: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    import torch

    from holonomy.manifolds import SpecialOrthogonal, euler_to_matrix

    if poses == "uniform":
        R = SpecialOrthogonal(3).random_uniform(n, random_state=derive_seed(seed, "poses"), dtype=torch.float64)
        return R.numpy(), np.full((n, 3), np.nan)
    angles = generator(seed, "poses").uniform(-1.0, 1.0, size=(n, 3)) * np.asarray(limits)
    return euler_to_matrix(torch.from_numpy(angles), "yxz", degrees=True).numpy(), angles


def _random_lights(n: int, seed: int) -> np.ndarray:
    directions = generator(seed, "lights").standard_normal((n, 3))
    directions[:, 2] = np.abs(directions[:, 2]) + 0.5
    return directions


def _random_backgrounds(n: int, size: int, seed: int) -> np.ndarray:
    """Return pictures (n, size, size, 3) between few random colours, blended linearly."""
    corners = generator(seed, "backgrounds").random((n, PATCHES, PATCHES, 3))
    place = np.linspace(0.0, PATCHES - 1.0, size)
    weights = np.maximum(0.0, 1.0 - np.abs(place[:, None] - np.arange(PATCHES)))
    return np.einsum("ri,cj,nijk->nrck", weights, weights, corners)
