"""Straight lines over a mesh: each triangle they enter is unfolded into the plane of the one before."""

import math

import numpy as np
from numba import njit

from holonomy.manifolds.meshes._window_kernels import next_of, start_of

_compiled = njit(cache=True, nogil=True, error_model="numpy")
AT_CORNER = 1e-12
"""How near to a corner, relative to the side of the triangle, a line counts as running into it."""


@_compiled
def corner_place(geometry, h):
    """Return where a half-edge starts, in the frame of its triangle."""
    first = h - h % 3
    if h % 3 == 0:
        return 0.0, 0.0
    if h % 3 == 1:
        return geometry.lengths[first], 0.0
    return geometry.apexes[first, 0], geometry.apexes[first, 1]


@_compiled
def corner_at(geometry, face, x, y, near):
    """Return the half-edge that starts at the corner where the point (x, y) is, or -1."""
    for h in range(3 * face, 3 * face + 3):
        px, py = corner_place(geometry, h)
        if math.hypot(x - px, y - py) <= near * geometry.lengths[h]:
            return h
    return -1


@_compiled
def leave_corner(geometry, v, angle):
    """Return the half-edge at v after which a direction leaves, and the direction in its triangle.

    ``angle`` is counted around the vertex from its first half-edge.
    """
    last = geometry.fan[geometry.fan_starts[v]]
    for position in range(geometry.fan_starts[v], geometry.fan_starts[v + 1]):
        h = geometry.fan[position]
        if geometry.fan_angles[h] <= angle:
            last = h
    within = min(max(angle - geometry.fan_angles[last], 0.0), geometry.corners[last])
    return last, geometry.turns[last] + within


@_compiled
def angle_at(geometry, h, direction):
    """Return the angle around the start of h of a direction in its triangle; directions beyond it turn on around."""
    v = start_of(geometry.faces, h)
    within = direction - geometry.turns[h]
    within -= 2.0 * math.pi * math.floor((within - 0.5 * geometry.corners[h] + math.pi) / (2.0 * math.pi))
    angle = geometry.fan_angles[h] + within
    if geometry.on_boundary[v]:
        return min(max(angle, 0.0), geometry.totals[v])
    return angle % geometry.totals[v]


@_compiled
def _exit(geometry, face, x, y, direction, skip, only):
    """Return the half-edge through which a line leaves a triangle, how far away, and where along it; -1 if nowhere."""
    best, far, along = -1, np.inf, 0.0
    for h in range(3 * face, 3 * face + 3):
        if h == skip or (only >= 0 and h != only):
            continue
        px, py = corner_place(geometry, h)
        c, s = math.cos(geometry.turns[h]), math.sin(geometry.turns[h])
        u, w = c * (x - px) + s * (y - py), max(c * (y - py) - s * (x - px), 0.0)
        turned = direction - geometry.turns[h]
        du, dw = math.cos(turned), math.sin(turned)
        if dw < 0.0 and w / -dw < far:
            best, far, along = h, w / -dw, u + du * (w / -dw)
    return best, far, along


@_compiled
def trace(geometry, face, x, y, direction, length, steps):
    """Follow a line from (x, y) in a triangle; where it meets a vertex, the angles to its sides are equal.

    Returns the triangle, place and direction at the end, and the length left over where the boundary ended it.
    Fills ``steps`` (s, 3) with (triangle, x, y) where each triangle is left and returns their number last; what does
    not fit is only counted.
    """
    count, skip, only = 0, -1, -1
    h = corner_at(geometry, face, x, y, AT_CORNER)
    if h >= 0 and length > 0.0:
        h, direction = leave_corner(geometry, start_of(geometry.faces, h), angle_at(geometry, h, direction))
        face, only = h // 3, next_of(h)
        x, y = corner_place(geometry, h)
    while length > 0.0:
        h, far, along = _exit(geometry, face, x, y, direction, skip, only)
        if h < 0 or far >= length:
            x, y = x + length * math.cos(direction), y + length * math.sin(direction)
            return face, x, y, direction, 0.0, count
        length -= far
        side = geometry.lengths[h]
        along = min(max(along, 0.0), side)
        px, py = corner_place(geometry, h)
        x, y = px + along * math.cos(geometry.turns[h]), py + along * math.sin(geometry.turns[h])
        if count < len(steps):
            steps[count, 0], steps[count, 1], steps[count, 2] = face, x, y
        count += 1
        at_start = along <= AT_CORNER * side
        if at_start or along >= side * (1.0 - AT_CORNER):
            corner = h if at_start else next_of(h)
            v = start_of(geometry.faces, corner)
            if geometry.on_boundary[v]:
                return face, x, y, direction, length, count
            back = angle_at(geometry, corner, direction + math.pi)
            corner, direction = leave_corner(geometry, v, (back + 0.5 * geometry.totals[v]) % geometry.totals[v])
            face, skip, only = corner // 3, -1, next_of(corner)
            x, y = corner_place(geometry, corner)
            continue
        twin = geometry.twins[h]
        if twin < 0:
            return face, x, y, direction, length, count
        direction += geometry.turns[twin] - geometry.turns[h] - math.pi
        px, py = corner_place(geometry, twin)
        x = px + (side - along) * math.cos(geometry.turns[twin])
        y = py + (side - along) * math.sin(geometry.turns[twin])
        face, skip, only = twin // 3, twin, -1
    return face, x, y, direction, length, count


@_compiled
def trace_rows(geometry, faces, places, directions, lengths, ends, start, stop):
    """Trace rows [start, stop); ``ends`` (n, 5) takes triangle, x, y, direction and the length left over."""
    nowhere = np.empty((0, 3))
    for i in range(start, stop):
        face, x, y, direction, left, _ = trace(
            geometry, faces[i], places[i, 0], places[i, 1], directions[i], lengths[i], nowhere
        )
        ends[i, 0], ends[i, 1], ends[i, 2], ends[i, 3], ends[i, 4] = face, x, y, direction, left


@_compiled
def facing_rows(geometry, frames, vertices, faces, points, vectors, near, chosen, start, stop):
    """Choose for rows [start, stop), among the triangles at a point, the one whose plane a vector is nearest to."""
    for i in range(start, stop):
        f = faces[i]
        chosen[i] = f
        best = _tilt(frames, f, vectors, i)
        px, py = place_in(frames, vertices, geometry.faces, f, points, i)
        corner = corner_at(geometry, f, px, py, near)
        if corner >= 0:
            v = start_of(geometry.faces, corner)
            for position in range(geometry.fan_starts[v], geometry.fan_starts[v + 1]):
                best = _try(geometry, frames, geometry.fan[position] // 3, vectors, i, best, chosen)
            continue
        for h in range(3 * f, 3 * f + 3):
            qx, qy = corner_place(geometry, h)
            height = math.cos(geometry.turns[h]) * (py - qy) - math.sin(geometry.turns[h]) * (px - qx)
            if height <= near * geometry.lengths[h] and geometry.twins[h] >= 0:
                best = _try(geometry, frames, geometry.twins[h] // 3, vectors, i, best, chosen)


@_compiled
def _tilt(frames, f, vectors, i):
    n = frames[f, 2]
    return abs(n[0] * vectors[i, 0] + n[1] * vectors[i, 1] + n[2] * vectors[i, 2])


@_compiled
def _try(geometry, frames, f, vectors, i, best, chosen):
    tilt = _tilt(frames, f, vectors, i)
    if tilt < best or (tilt == best and f < chosen[i]):
        chosen[i] = f
        return tilt
    return best


@_compiled
def place_in(frames, vertices, corners, f, points, i):
    """Return the coordinates of a point in the frame of triangle f."""
    a = corners[f, 0]
    x, y = 0.0, 0.0
    for j in range(3):
        d = points[i, j] - vertices[a, j]
        x += frames[f, 0, j] * d
        y += frames[f, 1, j] * d
    return x, y
