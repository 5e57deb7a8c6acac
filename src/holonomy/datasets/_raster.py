"""Triangles to pixels: a depth buffer, with the nearest triangle shaded by Lambert's law."""

import numba
import numpy as np


@numba.njit(cache=True, nogil=True)
def rasterize(
    vertices: np.ndarray,
    normals: np.ndarray,
    colors: np.ndarray,
    faces: np.ndarray,
    rotations: np.ndarray,
    lights: np.ndarray,
    ambient: float,
    focal: float,
    distance: float,
    image: np.ndarray,
    depth: np.ndarray,
    start: int,
    stop: int,
) -> None:
    """Draw one mesh in poses [start, stop) on their images (n, s, s, 3), where it is nearer than ``depth`` (n, s, s).

    Colors are those of the vertices in every picture, or in each of them: (1 or n, m, 3). Depth and what is shaded are
    interpolated with perspective. Light falls on the side that is seen, whichever way a triangle is turned.
    """
    size = image.shape[1]
    middle = 0.5 * size
    for picture in range(start, stop):
        R = rotations[picture]
        light = lights[picture]
        paint = colors[picture * (len(colors) > 1)]
        place = np.empty((len(vertices), 3))
        facing = np.empty((len(vertices), 4))
        for v in range(len(vertices)):
            p = vertices[v]
            x = R[0, 0] * p[0] + R[0, 1] * p[1] + R[0, 2] * p[2]
            y = R[1, 0] * p[0] + R[1, 1] * p[1] + R[1, 2] * p[2]
            far = distance - (R[2, 0] * p[0] + R[2, 1] * p[1] + R[2, 2] * p[2])
            place[v, 0] = middle + focal * x / far
            place[v, 1] = middle - focal * y / far
            place[v, 2] = 1.0 / far
            q = normals[v]
            for row in range(3):
                facing[v, row] = R[row, 0] * q[0] + R[row, 1] * q[1] + R[row, 2] * q[2]
            # Towards the camera, which is at (0, 0, distance) from the origin of the object.
            facing[v, 3] = -facing[v, 0] * x - facing[v, 1] * y + facing[v, 2] * far
        for f in range(len(faces)):
            _draw(place, facing, paint, faces[f], light, ambient, image[picture], depth[picture])


@numba.njit(cache=True, nogil=True)
def _draw(
    place: np.ndarray,
    facing: np.ndarray,
    colors: np.ndarray,
    face: np.ndarray,
    light: np.ndarray,
    ambient: float,
    image: np.ndarray,
    depth: np.ndarray,
) -> None:
    size = image.shape[0]
    a, b, c = face[0], face[1], face[2]
    ax, ay, bx, by, cx, cy = place[a, 0], place[a, 1], place[b, 0], place[b, 1], place[c, 0], place[c, 1]
    area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
    if area == 0.0:
        return
    left = max(0, int(np.floor(min(ax, bx, cx) - 0.5)))
    right = min(size - 1, int(np.ceil(max(ax, bx, cx) - 0.5)))
    top = max(0, int(np.floor(min(ay, by, cy) - 0.5)))
    bottom = min(size - 1, int(np.ceil(max(ay, by, cy) - 0.5)))
    for row in range(top, bottom + 1):
        py = row + 0.5
        for column in range(left, right + 1):
            px = column + 0.5
            wa = ((bx - px) * (cy - py) - (by - py) * (cx - px)) / area
            wb = ((cx - px) * (ay - py) - (cy - py) * (ax - px)) / area
            wc = 1.0 - wa - wb
            if wa < 0.0 or wb < 0.0 or wc < 0.0:
                continue
            wa, wb, wc = wa * place[a, 2], wb * place[b, 2], wc * place[c, 2]
            nearness = wa + wb + wc
            if 1.0 / nearness >= depth[row, column]:
                continue
            depth[row, column] = 1.0 / nearness
            nx = wa * facing[a, 0] + wb * facing[b, 0] + wc * facing[c, 0]
            ny = wa * facing[a, 1] + wb * facing[b, 1] + wc * facing[c, 1]
            nz = wa * facing[a, 2] + wb * facing[b, 2] + wc * facing[c, 2]
            towards = wa * facing[a, 3] + wb * facing[b, 3] + wc * facing[c, 3]
            length = np.sqrt(nx * nx + ny * ny + nz * nz)
            cosine = 0.0
            if length > 0.0:
                cosine = (nx * light[0] + ny * light[1] + nz * light[2]) / length
            if towards < 0.0:
                cosine = -cosine
            shade = ambient + (1.0 - ambient) * max(cosine, 0.0)
            for channel in range(3):
                mixed = wa * colors[a, channel] + wb * colors[b, channel] + wc * colors[c, channel]
                image[row, column, channel] = shade * mixed / nearness
