"""Meshes to test with."""

import numpy as np


def grid(n, spacing=1.0):
    """A flat square of n x n vertices."""
    axis = spacing * np.arange(n)
    x, y = np.meshgrid(axis, axis, indexing="ij")
    corner = (n * np.arange(n - 1)[:, None] + np.arange(n - 1)).ravel()
    below = np.stack([corner, corner + n, corner + n + 1], axis=1)
    above = np.stack([corner, corner + n + 1, corner + 1], axis=1)
    return np.stack([x.ravel(), y.ravel(), 0.0 * x.ravel()], axis=1), np.concatenate([below, above])


def icosphere(divisions):
    """The icosahedron, its triangles cut into four ``divisions`` times, on the unit sphere."""
    golden = (1.0 + 5.0**0.5) / 2.0
    points = [(0, a, b * golden) for a in (-1.0, 1.0) for b in (-1.0, 1.0)]
    points = np.array([np.roll(point, shift) for shift in range(3) for point in points])
    gaps = np.linalg.norm(points[:, None] - points, axis=2)
    near = np.isclose(gaps, 2.0)
    faces = [
        (i, j, k) for i in range(12) for j in range(i) for k in range(j) if near[i, j] and near[j, k] and near[i, k]
    ]
    faces = np.array(faces)
    middle = points[faces].mean(axis=1)
    inward = np.linalg.det(points[faces]) < 0
    faces[inward] = faces[inward][:, ::-1]
    assert len(faces) == 20
    assert len(middle) == 20
    points = points / np.linalg.norm(points, axis=1, keepdims=True)
    for _ in range(divisions):
        points, faces = _subdivided(points, faces)
        points = points / np.linalg.norm(points, axis=1, keepdims=True)
    return points, faces


def cube(n):
    """The unit cube, every side cut into n x n squares of two triangles."""
    points, faces = [], []
    axis = np.arange(n + 1) / n
    u, v = (a.ravel() for a in np.meshgrid(axis, axis, indexing="ij"))
    _, flat = grid(n + 1)
    for side in range(3):
        for level in (0.0, 1.0):
            here = np.roll(np.stack([u, v, np.full(len(u), level)], axis=1), side, axis=1)
            faces.append((flat if level else flat[:, ::-1]) + sum(map(len, points)))
            points.append(here)
    points, faces = np.concatenate(points), np.concatenate(faces)
    keys, place = np.unique(np.round(points * n).astype(int), axis=0, return_inverse=True)
    return keys / n, place.ravel()[faces]


def saddle(n, bend=0.6):
    """A bent sheet of n x n vertices with negative curvature."""
    points, faces = grid(n, 2.0 / (n - 1))
    points[:, :2] -= 1.0
    points[:, 2] = bend * (points[:, 0] ** 2 - points[:, 1] ** 2)
    return points, faces


def _subdivided(points, faces):
    edges = np.sort(faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    unique, place = np.unique(edges, axis=0, return_inverse=True)
    middles = points[unique].mean(axis=1)
    a, b, c = faces.T
    ab, bc, ca = (len(points) + place.ravel().reshape(-1, 3)).T
    cut = [np.stack(t, axis=1) for t in ((a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca))]
    return np.concatenate([points, middles]), np.concatenate(cut)
