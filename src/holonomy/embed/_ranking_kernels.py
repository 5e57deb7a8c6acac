"""Compiled steps of embedding pairs of nodes: a batch of pairs is weighed, then every node moves by what it gathers.

Pairs of a batch are weighed in fixed blocks, all seen from the same positions. A block leaves its forces sorted by the
shard of nodes they act on; then every shard adds up its own, in the order of the pairs, and moves its nodes. Threads
share out blocks, and then shards, so that nothing is written by two of them and no sum depends on how many there are.
Negative samples are a function of (key of the epoch, pair, draw).
"""

import numpy as np
from numba import njit
from numpy import uint32, uint64

from holonomy.embed._layout_kernels import scramble
from holonomy.embed._ranking_terms import BALL, HYPERBOLOID, fill_terms, move, refresh

BLOCK = 64
"""Pairs that are weighed one after another by one thread."""

SHARDS = 32
"""Most groups of consecutive nodes, each of which is moved by one thread."""

TRIES = 16
"""Draws of a negative sample until a slot is left empty, for nodes that are joined to nearly all others."""

RANKING, FERMI_DIRAC = 0, 1
"""Codes of the objectives."""

GOLDEN = uint32(0x9E3779B9)


@njit(cache=True, nogil=True, error_model="numpy")
def sign_rows(indptr, indices, signatures):
    """Write one bit for each of 64 classes of nodes that a row has an entry in: most absent entries are seen by it."""
    for i in range(len(indptr) - 1):
        bits = uint64(0)
        for e in range(indptr[i], indptr[i + 1]):
            bits |= uint64(1) << uint64(scramble(uint32(indices[e])) & uint32(63))
        signatures[i] = bits


@njit(cache=True, nogil=True, error_model="numpy")
def _is_joined(indptr, indices, signature, source, target):
    """Say whether the row of the source, whose columns are sorted, holds the target."""
    if not (signature >> uint64(scramble(uint32(target)) & uint32(63))) & uint64(1):
        return False
    low, high = indptr[source], indptr[source + 1]
    while low < high:
        middle = (low + high) >> 1
        if indices[middle] < target:
            low = middle + 1
        else:
            high = middle
    return low < indptr[source + 1] and indices[low] == target


@njit(cache=True, nogil=True, error_model="numpy")
def draw_negatives(n, chances, aliases, indptr, indices, signature, source, key, n_negatives, targets):
    """Write nodes that the source is not joined to from ``targets[1]`` on; returns how many targets there are.

    Uniform where ``chances`` is empty, else by Walker's method of aliases.
    """
    count, draw = 1, uint32(0)
    for _ in range(n_negatives):
        for _ in range(TRIES):
            h = scramble(uint32(key + draw * GOLDEN))
            draw += uint32(1)
            spread = uint64(h) * uint64(n)
            target = np.int64(spread >> uint64(32))
            if len(chances) > 0 and uint32(spread & uint64(0xFFFFFFFF)) >= chances[target]:
                target = np.int64(aliases[target])
            if target != source and not _is_joined(indptr, indices, signature, source, target):
                targets[count] = target
                count += 1
                break
    return count


@njit(cache=True, nogil=True, error_model="numpy")
def dot(a, b, count):
    """Return the inner product of the first entries, in eight interleaved sums that do not wait for each other."""
    s0 = s1 = s2 = s3 = s4 = s5 = s6 = s7 = a.dtype.type(0)
    whole = count - count % 8
    for m in range(0, whole, 8):
        s0 += a[m] * b[m]
        s1 += a[m + 1] * b[m + 1]
        s2 += a[m + 2] * b[m + 2]
        s3 += a[m + 3] * b[m + 3]
        s4 += a[m + 4] * b[m + 4]
        s5 += a[m + 5] * b[m + 5]
        s6 += a[m + 6] * b[m + 6]
        s7 += a[m + 7] * b[m + 7]
    for m in range(whole, count):
        s0 += a[m] * b[m]
    return ((s0 + s4) + (s1 + s5)) + ((s2 + s6) + (s3 + s7))


@njit(cache=True, nogil=True, error_model="numpy")
def _slopes(objective, radius, temperature, near, ones, count, slopes):
    """Write the derivative of the loss of a pair by each of its distances, the true one first."""
    one = near.dtype.type(1)
    if objective == RANKING:
        total = dot(near, ones, count)
        inverse = one / total if total > 0 else near.dtype.type(0)
        for m in range(count):
            slopes[m] = -near[m] * inverse
        slopes[0] += one
        return
    # exp((d - r) / t) is the odds against an edge; near is exp(-d).
    power, shift = -1.0 / temperature, np.exp(-radius / temperature)
    for m in range(count):
        against = shift * np.float64(near[m]) ** power
        slopes[m] = -1.0 / (temperature * (1.0 + against))
    slopes[0] += 1.0 / temperature


@njit(cache=True, nogil=True, error_model="numpy")
def weigh_blocks(state, sampling, loss, forces, spare, first, last, block_first, block_last):
    """Weigh the pairs [first, last) of an epoch that lie in the blocks [block_first, block_last) of their batch.

    The tuples are those of `ranking_descent.Workspace`. The forces on the targets of a block are left sorted by shard,
    those of shard s from ``ends[block, s]`` to ``ends[block, s + 1]``; the force on the head of each pair beside it.
    ``spare`` holds arrays that this thread alone writes to.
    """
    space, scale, shift, places, aux = state
    heads, tails, n_negatives, chances, aliases, indptr, indices, signatures, key = sampling
    objective, radius, temperature = loss
    ends, _, _, _, _, head_places, head_h, head_e = forces
    targets, steps, near, uh, ue, th, te, slopes, ones, all_targets, all_h, all_e, pair_ends = spare
    n, dim = places.shape
    for block in range(block_first, block_last):
        begin, stop = first + block * BLOCK, min(first + (block + 1) * BLOCK, last)
        ends[block, :] = 0
        total = 0
        for pair in range(begin, stop):
            source, slot = heads[pair], pair - first
            targets[0] = tails[pair]
            pair_key = scramble(uint32(key ^ scramble(uint32(pair))))
            count = draw_negatives(
                n, chances, aliases, indptr, indices, signatures[source], source, pair_key, n_negatives, targets
            )
            fill_terms(space, places, aux, scale, source, targets, count, steps, near, uh, ue, th, te)
            _slopes(objective, radius, temperature, near, ones, count, slopes)
            for m in range(count):
                uh[m] *= slopes[m]
            for m in range(count):
                ue[m] *= slopes[m]
            for axis in range(dim):
                head_places[slot, axis] = places[source, axis]
                head_h[slot, axis] = dot(uh, steps[axis], count)
            head_e[slot] = dot(ue, ones, count)
            for m in range(count):
                all_h[total + m] = th[m] * slopes[m]
            for m in range(count):
                all_e[total + m] = te[m] * slopes[m]
            for m in range(count):
                all_targets[total + m] = targets[m]
                ends[block, (targets[m] >> shift) + 1] += 1
            total += count
            pair_ends[slot - block * BLOCK] = total
        _sort_by_shard(block, stop - begin, shift, all_targets, all_h, all_e, pair_ends, forces)


@njit(cache=True, nogil=True, error_model="numpy")
def _sort_by_shard(block, n_pairs, shift, all_targets, all_h, all_e, pair_ends, forces):
    """Put the entries of a block in the order of their shards, given how many each has."""
    ends, entry_target, entry_pair, entry_h, entry_e, _, _, _ = forces
    n_shards = ends.shape[1] - 1
    for shard in range(n_shards):
        ends[block, shard + 1] += ends[block, shard]
    at = 0
    for p in range(n_pairs):
        while at < pair_ends[p]:
            shard = all_targets[at] >> shift
            position = ends[block, shard]
            ends[block, shard] += 1
            entry_target[block, position] = all_targets[at]
            entry_pair[block, position] = block * BLOCK + p
            entry_h[block, position] = all_h[at]
            entry_e[block, position] = all_e[at]
            at += 1
    # Each start has moved to its end, which is the start of the next.
    for shard in range(n_shards, 0, -1):
        ends[block, shard] = ends[block, shard - 1]
    ends[block, 0] = 0


@njit(cache=True, nogil=True, error_model="numpy")
def move_shards(state, sampling, motion, forces, gathered, first, last, shard_first, shard_last):
    """Move the nodes of the shards [shard_first, shard_last) by the forces of a batch.

    Of a node that is in more than ``most`` pairs of the batch the forces are averaged, so that they count as ``most``.
    """
    _, _, shift, places, _ = state
    heads, tails, _, _, _, _, _, _, _ = sampling
    ends, entry_target, entry_pair, entry_h, entry_e, head_places, head_h, head_e = forces
    sums, along, full, is_touched, touched = gathered
    dim = places.shape[1]
    n_blocks = (last - first + BLOCK - 1) // BLOCK
    for shard in range(shard_first, shard_last):
        begin, count = shard << shift, 0
        for block in range(n_blocks):
            for e in range(ends[block, shard], ends[block, shard + 1]):
                node, pair, h = entry_target[block, e], entry_pair[block, e], entry_h[block, e]
                for axis in range(dim):
                    sums[node, axis] += h * (places[node, axis] - head_places[pair, axis])
                along[node] += entry_e[block, e]
                full[node] += tails[first + pair] == node
                if not is_touched[node]:
                    is_touched[node] = True
                    touched[begin + count] = node
                    count += 1
            for pair in range(block * BLOCK, min((block + 1) * BLOCK, last - first)):
                node = heads[first + pair]
                if node >> shift == shard:
                    for axis in range(dim):
                        sums[node, axis] += head_h[pair, axis]
                    along[node] += head_e[pair]
                    full[node] += 1
                    if not is_touched[node]:
                        is_touched[node] = True
                        touched[begin + count] = node
                        count += 1
        _move_touched(state, motion, gathered, begin, count)


@njit(cache=True, nogil=True, error_model="numpy")
def _move_touched(state, motion, gathered, begin, count):
    """Move the touched nodes of a shard, and clear what they had gathered."""
    space, _, _, places, aux = state
    step, edge, most, is_retraction = motion
    sums, along, full, is_touched, touched = gathered
    for k in range(begin, begin + count):
        node = touched[k]
        for axis in range(places.shape[1]):
            sums[node, axis] += along[node] * places[node, axis]
        taken = step * most / full[node] if full[node] > most else step
        alpha = aux[0, node] if space == BALL else aux.dtype.type(0)
        move(space, places[node], alpha, sums[node], taken, edge, is_retraction)
        refresh(space, places, aux, node, node + 1)
        sums[node, :] = 0
        along[node] = 0
        full[node] = 0
        is_touched[node] = False


@njit(cache=True, nogil=True, error_model="numpy")
def run_batches(state, sampling, loss, motion, forces, gathered, spare, bounds):
    """Run the batches between the bounds one after another in this thread."""
    for b in range(len(bounds) - 1):
        first, last = bounds[b], bounds[b + 1]
        n_blocks = (last - first + BLOCK - 1) // BLOCK
        weigh_blocks(state, sampling, loss, forces, spare, first, last, 0, n_blocks)
        move_shards(state, sampling, motion, forces, gathered, first, last, 0, forces[0].shape[1] - 1)


@njit(cache=True, nogil=True, error_model="numpy")
def draw_batch(sampling, n, first, last, targets, counts):
    """Write the targets of the pairs [first, last), one row each, the true one first, and how many there are."""
    heads, tails, n_negatives, chances, aliases, indptr, indices, signatures, key = sampling
    for pair in range(first, last):
        source = heads[pair]
        targets[pair - first, 0] = tails[pair]
        pair_key = scramble(uint32(key ^ scramble(uint32(pair))))
        counts[pair - first] = draw_negatives(
            n, chances, aliases, indptr, indices, signatures[source], source, pair_key, n_negatives,
            targets[pair - first],
        )  # fmt: skip


@njit(cache=True, nogil=True, error_model="numpy")
def order_rows(space, columns, aux, rows, result):
    """Write, for each row, numbers (m, n) that are in the order of its distances to all nodes.

    ``columns`` (dim, n) are the coordinates, ``aux`` as in `refresh`. The numbers are q = sinh^2(d / 2) in the ball,
    4 q on the sheet, and squared distances in flat space.
    """
    dim, n = columns.shape
    one = columns.dtype.type(1)
    for r in range(len(rows)):
        source, row = rows[r], result[r]
        row[:] = 0
        if space == HYPERBOLOID:
            norm, time, inverse = aux[0, source], aux[1, source], aux[2, source]
            for axis in range(dim):
                along = columns[axis, source] * inverse
                for j in range(n):
                    turn = along - columns[axis, j] * aux[2, j]
                    row[j] += turn * turn
            for j in range(n):
                below = norm * aux[1, j] + aux[0, j] * time
                rise = (norm - aux[0, j]) * (norm + aux[0, j]) / below if below > 0 else one - one
                square = rise * rise
                row[j] = norm * aux[0, j] * row[j] + (square + square) / (one + np.sqrt(one + square))
            continue
        for axis in range(dim):
            x = columns[axis, source]
            for j in range(n):
                row[j] += (x - columns[axis, j]) * (x - columns[axis, j])
        if space == BALL:
            inverse = one / aux[0, source]
            for j in range(n):
                row[j] = row[j] * inverse / aux[0, j]


@njit(cache=True, nogil=True, error_model="numpy")
def pair_distances(space, scale, places, aux, heads, targets, counts, spare, result):
    """Write the distances of each head to its targets, the first ``counts`` of each row."""
    _, steps, near, uh, ue, th, te, _, _, _, _, _, _ = spare
    for pair in range(len(heads)):
        fill_terms(space, places, aux, scale, heads[pair], targets[pair], counts[pair], steps, near, uh, ue, th, te)
        for m in range(counts[pair]):
            result[pair, m] = -np.log(np.float64(near[m]))
