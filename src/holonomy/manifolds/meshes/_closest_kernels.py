"""The nearest point of a mesh: a tree of boxes around triangles."""

import numpy as np
from numba import njit

_compiled = njit(cache=True, nogil=True, error_model="numpy")
LEAF = 4
"""Most triangles in a leaf."""


@_compiled
def build_tree(low, high, middles):
    """Return the order of the triangles, and nodes: box (n, 6), and (first, last, right child); the left one is next.

    ``low``, ``high`` and ``middles`` (m, 3) are the boxes of triangles and their middles. A leaf has no right child, 0.
    """
    m = len(low)
    order = np.arange(m)
    boxes, links = np.empty((2 * m, 6)), np.zeros((2 * m, 3), np.int64)
    stack = [(0, m, -1)]
    count = 0
    while len(stack):
        first, last, parent = stack.pop()
        node = count
        count += 1
        if parent >= 0:
            links[parent, 2] = node
        links[node, 0], links[node, 1] = first, last
        for axis in range(3):
            boxes[node, axis], boxes[node, 3 + axis] = np.inf, -np.inf
            for i in order[first:last]:
                boxes[node, axis] = min(boxes[node, axis], low[i, axis])
                boxes[node, 3 + axis] = max(boxes[node, 3 + axis], high[i, axis])
        if last - first <= LEAF:
            continue
        widest = np.argmax(boxes[node, 3:] - boxes[node, :3])
        order[first:last] = order[first:last][np.argsort(middles[order[first:last], widest], kind="mergesort")]
        half = (first + last) // 2
        stack.append((half, last, node))
        stack.append((first, half, -1))
    return order, boxes[:count].copy(), links[:count].copy()


@_compiled
def _box_gap(box, px, py, pz):
    dx = max(box[0] - px, 0.0, px - box[3])
    dy = max(box[1] - py, 0.0, py - box[4])
    dz = max(box[2] - pz, 0.0, pz - box[5])
    return dx * dx + dy * dy + dz * dz


@_compiled
def nearest_in_triangle(a, b, c, p, weights):
    """Fill the weights of the corners a, b, c in their point nearest to p; return its squared distance."""
    ab, ac, ap = b - a, c - a, p - a
    d1, d2 = np.dot(ab, ap), np.dot(ac, ap)
    bp, cp = p - b, p - c
    d3, d4 = np.dot(ab, bp), np.dot(ac, bp)
    d5, d6 = np.dot(ab, cp), np.dot(ac, cp)
    va, vb, vc = d3 * d6 - d5 * d4, d5 * d2 - d1 * d6, d1 * d4 - d3 * d2
    if d1 <= 0.0 and d2 <= 0.0:
        v, w = 0.0, 0.0
    elif d3 >= 0.0 and d4 <= d3:
        v, w = 1.0, 0.0
    elif d6 >= 0.0 and d5 <= d6:
        v, w = 0.0, 1.0
    elif vc <= 0.0 and d1 >= 0.0 and d3 <= 0.0:
        v, w = d1 / (d1 - d3), 0.0
    elif vb <= 0.0 and d2 >= 0.0 and d6 <= 0.0:
        v, w = 0.0, d2 / (d2 - d6)
    elif va <= 0.0 and d4 >= d3 and d5 >= d6:
        w = (d4 - d3) / ((d4 - d3) + (d5 - d6))
        v = 1.0 - w
    else:
        total = va + vb + vc
        v, w = vb / total, vc / total
    weights[0], weights[1], weights[2] = max(1.0 - v - w, 0.0), v, w
    away = ap - v * ab - w * ac
    return np.dot(away, away)


@_compiled
def closest_rows(vertices, faces, order, boxes, links, points, found, weights, gaps, start, stop):
    """Fill triangle, weights (n, 3) of its corners and distance of the nearest surface point for rows [start, stop).

    Of several nearest triangles the one of lowest number is taken.
    """
    trial = np.empty(3)
    stack = np.empty(128, np.int64)
    for i in range(start, stop):
        p = points[i]
        best, found[i] = np.inf, -1
        stack[0], size = 0, 1
        while size > 0:
            size -= 1
            node = stack[size]
            if _box_gap(boxes[node], p[0], p[1], p[2]) > best:
                continue
            right = links[node, 2]
            if right == 0:
                for f in order[links[node, 0] : links[node, 1]]:
                    gap = nearest_in_triangle(
                        vertices[faces[f, 0]], vertices[faces[f, 1]], vertices[faces[f, 2]], p, trial
                    )
                    if gap < best or (gap == best and f < found[i]):
                        best, found[i] = gap, f
                        weights[i] = trial
                continue
            near, far = node + 1, right
            if _box_gap(boxes[right], p[0], p[1], p[2]) < _box_gap(boxes[near], p[0], p[1], p[2]):
                near, far = right, node + 1
            stack[size], stack[size + 1] = far, near
            size += 2
        gaps[i] = np.sqrt(best)
