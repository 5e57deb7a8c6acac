"""Triangle meshes in Wavefront OBJ."""

import itertools
from pathlib import Path
from typing import Any

import numpy as np

from holonomy.datasets._fetch import fetch
from holonomy.datasets._registry import DataSet


def load_mesh(entry: DataSet) -> dict[str, Any]:
    """Return a mesh; its vertices are the points."""
    vertices, faces = read_obj(fetch(entry.files[0]))
    return {"X": vertices, "feature_names": ["x", "y", "z"], "vertices": vertices, "faces": faces}


def read_obj(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Read vertices and faces of an OBJ file; textures, normals, groups and materials are passed over.

    Polygons are cut into triangles around their first corner. A corner is ``v``, ``v/vt``, ``v//vn`` or ``v/vt/vn``;
    negative numbers count back from the latest vertex.

    Returns
    -------
    vertices : ndarray of float64, shape (n, 3)
    faces : ndarray of int32, shape (m, 3)
        Row numbers of ``vertices``, counted from zero.

    Raises
    ------
    ValueError
        If there is no vertex, or a line is malformed or names a vertex that does not exist.
    """
    vertices: list[tuple[float, float, float]] = []
    faces: list[tuple[int, int, int]] = []
    text = path.read_text(encoding="utf-8", errors="replace").replace("\\\n", " ")
    for number, line in enumerate(text.splitlines(), start=1):
        fields = line.split()
        try:
            if fields and fields[0] == "v":
                x, y, z = fields[1:4]
                vertices.append((float(x), float(y), float(z)))
            elif fields and fields[0] == "f":
                first, *rest = [_corner(field, len(vertices)) for field in fields[1:]]
                if len(rest) < 2:
                    raise ValueError("a face needs three corners")
                faces.extend((first, b, c) for b, c in itertools.pairwise(rest))
        except ValueError as error:
            raise ValueError(f"{path}, line {number}: {line.strip()[:80]!r} is malformed: {error}.") from error
    if not vertices:
        raise ValueError(f"{path} holds no vertex.")
    points = np.array(vertices, dtype=np.float64)
    triangles = np.array(faces, dtype=np.int32).reshape(-1, 3)
    if not np.isfinite(points).all():
        raise ValueError(f"{path} holds a vertex that is not finite.")
    if triangles.size and triangles.max() >= len(points):
        raise ValueError(f"{path} has a face with vertex {triangles.max() + 1}, but only {len(points)} vertices.")
    return points, triangles


def _corner(field: str, n_vertices: int) -> int:
    index = int(field.partition("/")[0])
    row = index - 1 if index > 0 else n_vertices + index
    if index == 0 or row < 0:
        raise ValueError(f"there is no vertex {index}")
    return row
