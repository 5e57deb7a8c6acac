"""Exact geodesics from one source by windows: intervals of edges that straight lines from the source reach.

A window lies on the edge of a half-edge and looks into its triangle. In the frame of the half-edge it is an interval
[low, high] and the unfolded source at (x, y), y <= 0, which is itself ``behind`` away from the true source: 0, or the
distance of a vertex that shortest paths bend around. Windows are taken from a heap in the order of distance. A window
that cannot be part of a shortest path is dropped (Xin and Wang 2009), and of several windows that see the opposite
corner only the nearest one lights both edges (Chen and Han 1990). What is left covers the surface, so that the distance
of any point is the least over the windows of its triangle.

Every candidate is the length of a path that exists, for the straight line is bent where it would miss its window. So no
rounding can make a distance too short.
"""

import math
from typing import NamedTuple

import numpy as np
from numba import njit

_compiled = njit(cache=True, nogil=True, error_model="numpy")
SLIVER = 1e-13
"""Width of a window, relative to its edge, up to which it is dropped; paths through it are bent by less."""
SADDLE = 1e-9
"""How much more than 2 pi the angle of a vertex that paths bend around must be, and slack of the directions there."""


class Geometry(NamedTuple):
    """The arrays of a surface that windows need; see ``Surface``."""

    faces: np.ndarray
    twins: np.ndarray
    lengths: np.ndarray
    apexes: np.ndarray
    turns: np.ndarray
    fan_starts: np.ndarray
    fan: np.ndarray
    fan_angles: np.ndarray
    corners: np.ndarray
    totals: np.ndarray
    on_boundary: np.ndarray


class Front(NamedTuple):
    """The state of a propagation.

    ``spans`` (c, 6): low, high, x, y, behind, and the angle of the frame in that of the source's triangle (or of the
    direction at the source itself, behind a vertex). ``links`` (c, 4): half-edge, vertex bent around or -1, triangle at
    the source, next window of the half-edge. ``keys`` and ``items`` (c,): the heap; items below 0 are vertices.
    ``sizes`` (2,): windows, heap. ``latest`` (3 m,): last window of each half-edge. ``nearest`` (3 m, 2): distance of
    the opposite corner by the window that lights both edges, and where its line crosses. ``reach`` (n, 5): distance of
    each vertex, length of its last straight piece, direction in which that arrives in its triangle, direction at the
    source in that one's triangle, 1 once paths were bent around it. ``roots`` (n, 3): vertex before or -1, triangle of
    arrival, triangle at the source.
    """

    spans: np.ndarray
    links: np.ndarray
    keys: np.ndarray
    items: np.ndarray
    sizes: np.ndarray
    latest: np.ndarray
    nearest: np.ndarray
    reach: np.ndarray
    roots: np.ndarray


@_compiled
def _push(front, key, item):
    position = front.sizes[1]
    front.sizes[1] += 1
    while position > 0:
        above = (position - 1) >> 1
        if front.keys[above] <= key:
            break
        front.keys[position], front.items[position] = front.keys[above], front.items[above]
        position = above
    front.keys[position], front.items[position] = key, item


@_compiled
def _pop(front):
    """Return the first item; its key must be read before."""
    item = front.items[0]
    front.sizes[1] -= 1
    size = front.sizes[1]
    key, moved = front.keys[size], front.items[size]
    position = 0
    while 2 * position + 1 < size:
        below = 2 * position + 1
        if below + 1 < size and front.keys[below + 1] < front.keys[below]:
            below += 1
        if front.keys[below] >= key:
            break
        front.keys[position], front.items[position] = front.keys[below], front.items[below]
        position = below
    front.keys[position], front.items[position] = key, moved
    return item


@_compiled
def next_of(h):
    """Return the next half-edge of the triangle."""
    return h + 1 if h % 3 < 2 else h - 2


@_compiled
def previous_of(h):
    """Return the previous half-edge of the triangle."""
    return h - 1 if h % 3 else h + 2


@_compiled
def start_of(faces, h):
    """Return the vertex where a half-edge starts."""
    return faces[h // 3, h % 3]


@_compiled
def reach_vertex(geometry, front, v, distance, piece, root, face, arrival, source_face, departure):
    """Note a path to a vertex if it is shorter than those known, and plan to bend around the vertex."""
    if distance >= front.reach[v, 0]:
        return
    front.reach[v, 0], front.reach[v, 1], front.reach[v, 2], front.reach[v, 3] = distance, piece, arrival, departure
    front.roots[v, 0], front.roots[v, 1], front.roots[v, 2] = root, face, source_face
    limit = math.pi if geometry.on_boundary[v] else 2.0 * math.pi
    if geometry.totals[v] > limit + SADDLE:
        _push(front, distance, -1 - v)


@_compiled
def add_window(geometry, front, h, low, high, x, y, behind, root, face, turn):
    """Add a window and put it in the heap, unless paths through the ends of its edge make it useless."""
    length = geometry.lengths[h]
    if high - low <= SLIVER * length:
        return
    y = min(y, 0.0)
    v, w = start_of(geometry.faces, h), start_of(geometry.faces, next_of(h))
    to_low, to_high = behind + math.hypot(low - x, y), behind + math.hypot(high - x, y)
    slack = 1.0 + 1e-14
    if (front.reach[v, 0] + high) * slack < to_high or (front.reach[w, 0] + length - low) * slack < to_low:
        return
    k = front.sizes[0]
    front.sizes[0] += 1
    spans, links = front.spans[k], front.links[k]
    spans[0], spans[1], spans[2], spans[3], spans[4], spans[5] = low, high, x, y, behind, turn
    links[0], links[1], links[2], links[3] = h, root, face, front.latest[h]
    front.latest[h] = k
    nearest = min(max(x, low), high)
    _push(front, behind + math.hypot(nearest - x, y), k)


@_compiled
def start_from_vertex(geometry, front, v):
    """Light all triangles around a vertex that is the source."""
    front.reach[v, 0] = 0.0
    front.roots[v, 0] = -1
    front.roots[v, 1] = front.roots[v, 2] = geometry.fan[geometry.fan_starts[v]] // 3
    front.reach[v, 4] = 1.0
    for position in range(geometry.fan_starts[v], geometry.fan_starts[v + 1]):
        _light(geometry, front, geometry.fan[position], 0.0, -1, -1, 0.0)


@_compiled
def _bend_around(geometry, front, v):
    """Light the triangles around a vertex into which a shortest path can go on: straight or longer on either side."""
    arrival, face = front.reach[v, 2], front.roots[v, 1]
    total, here = geometry.totals[v], 0.0
    for position in range(geometry.fan_starts[v], geometry.fan_starts[v + 1]):
        h = geometry.fan[position]
        if h // 3 == face:
            within = (arrival + math.pi - geometry.turns[h]) % (2.0 * math.pi)
            if within > math.pi + 0.5 * geometry.corners[h]:
                within = 0.0
            here = geometry.fan_angles[h] + min(within, geometry.corners[h])
    for position in range(geometry.fan_starts[v], geometry.fan_starts[v + 1]):
        h = geometry.fan[position]
        low = geometry.fan_angles[h] - here
        high = low + geometry.corners[h]
        if geometry.on_boundary[v]:
            open_ = high >= math.pi - SADDLE or low <= SADDLE - math.pi
        else:
            low = low % total
            high = low + geometry.corners[h]
            open_ = low <= total - math.pi + SADDLE and high >= math.pi - SADDLE
        if open_:
            _light(geometry, front, h, front.reach[v, 0], v, front.roots[v, 2], front.reach[v, 3])
        else:
            _along_edges(geometry, front, h, front.reach[v, 0], v, front.roots[v, 2], front.reach[v, 3])


@_compiled
def _along_edges(geometry, front, h, behind, root, source_face, departure):
    """Reach the two other corners of the triangle at whose corner h starts, along its edges."""
    face, last = h // 3, previous_of(h)
    out, back = geometry.turns[h], geometry.turns[last] + math.pi
    from_face = face if root < 0 else source_face
    v, w = start_of(geometry.faces, next_of(h)), start_of(geometry.faces, last)
    first = out if root < 0 else departure
    length = geometry.lengths[h]
    reach_vertex(geometry, front, v, behind + length, length, root, face, out, from_face, first)
    first = back if root < 0 else departure
    length = geometry.lengths[last]
    reach_vertex(geometry, front, w, behind + length, length, root, face, back, from_face, first)


@_compiled
def _light(geometry, front, h, behind, root, source_face, departure):
    """Light the edge opposite to the corner at which h starts, and reach its ends."""
    _along_edges(geometry, front, h, behind, root, source_face, departure)
    opposite = next_of(h)
    twin = geometry.twins[opposite]
    if twin < 0:
        return
    x = geometry.lengths[opposite] - geometry.apexes[opposite, 0]
    y = -geometry.apexes[opposite, 1]
    turn = geometry.turns[opposite] + math.pi if root < 0 else departure
    from_face = h // 3 if root < 0 else source_face
    add_window(geometry, front, twin, 0.0, geometry.lengths[twin], x, y, behind, root, from_face, turn)


@_compiled
def start_from_face(geometry, front, face, x, y):
    """Light the three edges of a triangle from the point (x, y) in its frame."""
    px, py = 0.0, 0.0  # where the half-edge starts
    for h in range(3 * face, 3 * face + 3):
        angle, length = geometry.turns[h], geometry.lengths[h]
        c, s = math.cos(angle), math.sin(angle)
        dx, dy = px - x, py - y
        away, direction = math.hypot(dx, dy), math.atan2(dy, dx)
        v = start_of(geometry.faces, h)
        reach_vertex(geometry, front, v, away, away, -1, face, direction, face, direction)
        if geometry.twins[h] >= 0:
            along, above = -(c * dx + s * dy), -(c * dy - s * dx)
            twin = geometry.twins[h]
            add_window(geometry, front, twin, 0.0, length, length - along, -above, 0.0, -1, face, angle + math.pi)
        px, py = px + c * length, py + s * length


@_compiled
def crossing(x, y, px, py):
    """Return where the line from (x, y), y <= 0, to (px, py), py >= 0, crosses the first axis."""
    rise = py - y
    return x - y * (px - x) / rise if rise > 0.0 else px


@_compiled
def propagate(geometry, front, targets, places, room):
    """Take windows from the heap until it is empty, all targets are settled (1), or fewer than ``room`` places (0).

    ``targets`` are triangles and ``places`` (t, 3) the distances of a point in each to its corners.
    """
    ticks = 0
    while front.sizes[1] > 0:
        if front.sizes[0] + room > len(front.keys) or front.sizes[1] + room > len(front.keys):
            return 0
        key = front.keys[0]
        if len(targets) and ticks % 64 == 0 and key > _farthest(geometry, front, targets, places):
            return 1
        ticks += 1
        item = _pop(front)
        if item < 0:
            v = -1 - item
            if front.reach[v, 4] == 0.0 and key <= front.reach[v, 0]:
                front.reach[v, 4] = 1.0
                _bend_around(geometry, front, v)
        else:
            _advance(geometry, front, item)
    return 1


@_compiled
def _farthest(geometry, front, targets, places):
    """Return a distance that no target exceeds: the longest of their ways along a corner."""
    farthest = 0.0
    for t in range(len(targets)):
        least = np.inf
        for i in range(3):
            least = min(least, front.reach[geometry.faces[targets[t], i], 0] + places[t, i])
        farthest = max(farthest, least)
    return farthest


@_compiled
def _advance(geometry, front, k):
    """Carry a window across its triangle to the two other edges."""
    low, high, x, y = front.spans[k, 0], front.spans[k, 1], front.spans[k, 2], front.spans[k, 3]
    behind, turn = front.spans[k, 4], front.spans[k, 5]
    h, root, face = front.links[k, 0], front.links[k, 1], front.links[k, 2]
    length, ax, ay = geometry.lengths[h], geometry.apexes[h, 0], geometry.apexes[h, 1]
    v, w, apex = (
        start_of(geometry.faces, h),
        start_of(geometry.faces, next_of(h)),
        start_of(geometry.faces, previous_of(h)),
    )
    to_low, to_high = behind + math.hypot(low - x, y), behind + math.hypot(high - x, y)
    slack = 1.0 + 1e-14
    if (front.reach[v, 0] + high) * slack < to_high or (front.reach[w, 0] + length - low) * slack < to_low:
        return
    middle = crossing(x, y, ax, ay)
    bent = min(max(middle, low), high)
    reached = behind + math.hypot(bent - x, y) + math.hypot(ax - bent, ay)
    direction = math.atan2(ay - y, ax - x)
    away = math.hypot(ax - x, ay - y)
    arrival = direction + geometry.turns[h]
    first = turn if root >= 0 else direction + turn
    reach_vertex(geometry, front, apex, reached, away, root, h // 3, arrival, face, first)
    left, right = low < middle, high > middle
    if left and right:
        if reached < front.nearest[h, 0]:
            front.nearest[h, 0], front.nearest[h, 1] = reached, middle
        elif middle < front.nearest[h, 1]:
            right = False
        elif middle > front.nearest[h, 1]:
            left = False
    if left:
        _carry(geometry, front, k, h, previous_of(h), low, min(middle, high), 0.0, 0.0)
    if right:
        _carry(geometry, front, k, h, next_of(h), max(middle, low), high, ax, ay)


@_compiled
def _carry(geometry, front, k, h, exit_, low, high, ox, oy):
    """Add the window that the interval [low, high] of window k on h throws on the edge ``exit_``.

    (ox, oy) is where the twin of ``exit_`` starts, in the frame of h.
    """
    twin = geometry.twins[exit_]
    if twin < 0:
        return
    x, y, behind, turn = front.spans[k, 2], front.spans[k, 3], front.spans[k, 4], front.spans[k, 5]
    rotation = geometry.turns[exit_] + math.pi - geometry.turns[h]
    c, s, length = math.cos(rotation), math.sin(rotation), geometry.lengths[twin]
    sx, sy = c * (x - ox) + s * (y - oy), c * (y - oy) - s * (x - ox)
    lx, ly = c * (low - ox) - s * oy, -c * oy - s * (low - ox)
    hx, hy = c * (high - ox) - s * oy, -c * oy - s * (high - ox)
    # Lines from the source through both ends of the interval, as far as the edge.
    new_low = sx + (lx - sx) * (-sy) / (ly - sy) if ly - sy > 0.0 else lx
    new_high = sx + (hx - sx) * (-sy) / (hy - sy) if hy - sy > 0.0 else hx
    new_low, new_high = min(max(new_low, 0.0), length), min(max(new_high, 0.0), length)
    root = front.links[k, 1]
    is_left = exit_ == previous_of(h)
    # All lines of the window cross the segment from the corner of h off this edge to the near end of the interval.
    corner = start_of(geometry.faces, next_of(h)) if is_left else start_of(geometry.faces, h)
    cx, cy = (geometry.lengths[h] - ox, -oy) if is_left else (-ox, -oy)
    px, py = c * cx + s * cy, c * cy - s * cx
    beside = new_low if is_left else new_high
    if (front.reach[corner, 0] + math.hypot(px - beside, py)) * (1.0 + 1e-14) < behind + math.hypot(beside - sx, sy):
        return
    new_turn = turn if root >= 0 else turn + rotation
    add_window(geometry, front, twin, new_low, new_high, sx, sy, behind, root, front.links[k, 2], new_turn)


@_compiled
def read_targets(geometry, front, source, targets, places, numbers, labels):
    """Find the shortest path to points: the least over the windows, corners and the source of their triangles.

    ``source`` is the triangle of the source and its place there, or (-1, 0, 0); ``places`` (t, 2) are in the frames of
    the triangles ``targets``. Fills ``numbers`` (t, 4): distance, length of the last straight piece, direction of
    arrival, direction at the source; and ``labels`` (t, 2): vertex before or -1, triangle at the source.
    """
    for t in range(len(targets)):
        face, qx, qy = targets[t], places[t, 0], places[t, 1]
        numbers[t, 0] = np.inf
        if source[0] == face:
            dx, dy = qx - source[1], qy - source[2]
            away, angle = math.hypot(dx, dy), math.atan2(dy, dx)
            _keep(numbers[t], labels[t], away, away, angle, angle, -1, face)
            continue
        px, py = 0.0, 0.0
        for h in range(3 * face, 3 * face + 3):
            angle = geometry.turns[h]
            c, s = math.cos(angle), math.sin(angle)
            v = start_of(geometry.faces, h)
            dx, dy = qx - px, qy - py
            away, direction = math.hypot(dx, dy), math.atan2(dy, dx)
            if front.reach[v, 0] == 0.0:
                _keep(numbers[t], labels[t], away, away, direction, direction, -1, face)
            else:
                total, first = front.reach[v, 0] + away, front.reach[v, 3]
                _keep(numbers[t], labels[t], total, away, direction, first, v, front.roots[v, 2])
            _read_windows(front, h, angle, c * dx + s * dy, max(c * dy - s * dx, 0.0), numbers[t], labels[t])
            px, py = px + c * geometry.lengths[h], py + s * geometry.lengths[h]


@_compiled
def _read_windows(front, h, angle, px, py, numbers, labels):
    """Try all windows of a half-edge for the point (px, py) in its frame."""
    k = front.latest[h]
    while k >= 0:
        low, high, x, y = front.spans[k, 0], front.spans[k, 1], front.spans[k, 2], front.spans[k, 3]
        bent = min(max(crossing(x, y, px, py), low), high)
        total = front.spans[k, 4] + math.hypot(bent - x, y) + math.hypot(px - bent, py)
        if total < numbers[0]:
            root, direction = front.links[k, 1], math.atan2(py - y, px - x)
            first = front.spans[k, 5] if root >= 0 else front.spans[k, 5] + direction
            away = math.hypot(px - x, py - y)
            _keep(numbers, labels, total, away, direction + angle, first, root, front.links[k, 2])
        k = front.links[k, 3]


@_compiled
def _keep(numbers, labels, distance, piece, arrival, departure, root, source_face):
    if distance < numbers[0]:
        numbers[0], numbers[1], numbers[2], numbers[3] = distance, piece, arrival, departure
        labels[0], labels[1] = root, source_face
