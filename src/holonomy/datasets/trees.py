"""Trees: a branching curve, and the nodes of a balanced tree with its graph."""

from functools import partial

import numpy as np
from scipy import sparse
from sklearn.utils import Bunch

from holonomy._core.random import RandomState
from holonomy._core.validation import check_int
from holonomy.datasets._ground_truth import Density, Observation, check_positive

LARGEST_FEATURES = 2**30
"""Bytes that the feature matrix of a balanced tree may take."""


def make_branching_tree(
    n_samples: int = 1000,
    *,
    branching: int = 2,
    depth: int = 3,
    branch_length: float = 1.0,
    noise: float = 0.0,
    density: Density = 1.0,
    ambient_dim: int | None = None,
    random_state: RandomState = None,
) -> Bunch:
    """Points along a tree whose branches are segments in mutually orthogonal directions.

    The root splits into branches, each of them splits again at its end, and so on: with ``noise``, a picture of cells
    that differentiate.

    Parameters
    ----------
    n_samples : int, default=1000
        Number of points, uniform along the total length.
    branching : int, default=2
        Number of branches at the root and at each end, at least 1.
    depth : int, default=3
        Number of branches between the root and a tip, at least 1. The tree has
        ``branching + branching^2 + ... + branching^depth`` branches, and that is the dimension of its own coordinates.
    branch_length : float, default=1.0
        Length of each branch.
    noise : float, default=0.0
        Standard deviation of isotropic Gaussian noise in all D coordinates.
    density : float or callable, default=1.0
        Ratio by which the density falls from the root to the tips, or ``latent -> [0, 1]``.
    ambient_dim : int, optional
        Dimension D to turn the set into by a random frame.
    random_state : int, Generator, RandomState or None
        Seed.

    Returns
    -------
    Bunch
        The entries described in :mod:`holonomy.datasets`, and ``parents`` (n_branches,): the branch that each branch
        grows from, -1 at the root. ``latent`` (n, 1) is the distance from the root; ``labels`` number the branches;
        ``geodesic_distances`` run along the tree.

    Examples
    --------
    >>> from holonomy.datasets import make_branching_tree
    >>> tree = make_branching_tree(600, branching=2, depth=2, noise=0.05, random_state=0)
    >>> tree.X.shape, tree.parents.tolist()
    ((600, 6), [-1, -1, 0, 0, 1, 1])
    """
    observation = Observation(n_samples, noise, density, ambient_dim, random_state)
    branching, depth = check_int(branching, "branching", minimum=1), check_int(depth, "depth", minimum=1)
    length = check_positive(branch_length, "branch_length")
    n_branches = _count_nodes(branching, depth) - 1
    # Branch k ends in node k + 1 of the tree whose nodes are numbered level by level.
    levels = _levels(np.arange(1, n_branches + 1), branching)

    def propose(rng: np.random.Generator, m: int) -> tuple[np.ndarray, ...]:
        labels = rng.integers(n_branches, size=m)
        return (levels[labels] - rng.random(m))[:, None] * length, labels

    latent, labels = observation.sample(propose, height=lambda s, _: s[:, 0] / (depth * length))
    points = length * _path_indicators(labels + 1, n_branches + 1, branching)
    points[np.arange(len(points)), labels] = latent[:, 0] - (levels[labels] - 1) * length
    return observation.bunch(
        f"Tree of depth {depth} that splits into {branching} at every step.",
        points,
        latent,
        intrinsic_dim=1,
        distance=partial(_branch_distance, branching=branching, length=length),
        coordinates=np.column_stack([labels + 1, latent]),
        labels=labels,
        parents=np.arange(n_branches) // branching - 1,
    )


def make_balanced_tree(
    n_samples: int | None = None,
    *,
    branching: int = 2,
    depth: int = 6,
    noise: float = 0.0,
    density: Density = 1.0,
    ambient_dim: int | None = None,
    random_state: RandomState = None,
) -> Bunch:
    """Nodes of a balanced tree with its graph and graph metric.

    The features of a node say which edges lie between it and the root, one 0/1 coordinate an edge, so that squared
    Euclidean distance is the distance in the tree, exactly.

    Parameters
    ----------
    n_samples : int, optional
        Draw this many different nodes; by default all nodes are there, in the order of their levels.
    branching : int, default=2
        Children of each node, at least 1.
    depth : int, default=6
        Number of edges from the root to a leaf, at least 1. The tree has ``1 + branching + ... + branching^depth``
        nodes.
    noise : float, default=0.0
        Standard deviation of isotropic Gaussian noise in all D coordinates.
    density : float or callable, default=1.0
        With ``n_samples``, ratio by which the chance to be drawn next falls from the root to the leaves, or
        ``latent -> [0, 1]``.
    ambient_dim : int, optional
        Dimension D to turn the set into by a random frame.
    random_state : int, Generator, RandomState or None
        Seed.

    Returns
    -------
    Bunch
        The entries described in :mod:`holonomy.datasets`, and ``graph``, the adjacency matrix of the whole tree (SciPy
        CSR array); ``nodes`` (n,), which node each row is; ``parents`` (n_nodes,), the parent of each node, -1 for the
        root. ``latent`` (n, 1) is the level. ``labels`` are 0 for the root and 1, 2, ... for the subtrees of its
        children.

    Raises
    ------
    ValueError
        If the features would take more than 1 GiB.

    Examples
    --------
    >>> from holonomy.datasets import make_balanced_tree
    >>> tree = make_balanced_tree(branching=3, depth=4)
    >>> tree.X.shape, tree.graph.shape
    ((121, 120), (121, 121))
    >>> float(tree.geodesic_distances(119, 120)), float(tree.geodesic_distances(0, 120))
    (2.0, 4.0)
    """
    branching, depth = check_int(branching, "branching", minimum=1), check_int(depth, "depth", minimum=1)
    n_nodes = _count_nodes(branching, depth)
    n = n_nodes if n_samples is None else check_int(n_samples, "n_samples", minimum=1, maximum=n_nodes)
    size = 8 * n * (n_nodes - 1)
    if size > LARGEST_FEATURES:
        raise ValueError(
            f"The features of {n} nodes with {n_nodes - 1} edges would take {size / 2**30:.1f} GiB; "
            "reduce depth, branching or n_samples."
        )
    observation = Observation(n, noise, density, ambient_dim, random_state)
    nodes = np.arange(n_nodes) if n_samples is None else _draw_nodes(observation, branching, n_nodes, depth)
    if n == n_nodes and (callable(density) or density != 1.0):
        raise ValueError(f"density has no effect when all {n_nodes} nodes are there; draw fewer with n_samples.")
    parents = (np.arange(n_nodes) - 1) // branching
    return observation.bunch(
        f"Balanced tree of depth {depth} with {branching} children a node.",
        _path_indicators(nodes, n_nodes, branching),
        _levels(nodes, branching)[:, None].astype(np.float64),
        intrinsic_dim=1,
        distance=partial(_node_distance, branching=branching),
        coordinates=nodes[:, None],
        labels=_first_branch(nodes, branching),
        graph=_adjacency(parents),
        nodes=nodes,
        parents=parents,
    )


def _count_nodes(branching: int, depth: int) -> int:
    return sum(branching**level for level in range(depth + 1))


def _levels(nodes: np.ndarray, branching: int) -> np.ndarray:
    """Return the number of edges between each node and the root (nodes numbered level by level)."""
    levels = np.zeros(nodes.shape, dtype=np.int64)
    while (below := nodes > 0).any():
        levels += below
        nodes = np.where(below, (nodes - 1) // branching, 0)
    return levels


def _path_indicators(nodes: np.ndarray, n_nodes: int, branching: int) -> np.ndarray:
    """Return, for each node, which edges lie between it and the root; edge k leads down to node k + 1."""
    indicators = np.zeros((len(nodes), n_nodes - 1))
    rows = np.flatnonzero(nodes > 0)
    while len(rows):
        indicators[rows, nodes[rows] - 1] = 1.0
        nodes = (nodes - 1) // branching
        rows = rows[nodes[rows] > 0]
    return indicators


def _lowest_common_ancestor(a: np.ndarray, b: np.ndarray, branching: int) -> np.ndarray:
    """Return the lowest common ancestors: of two different nodes, the one with the larger number moves up."""
    while (a != b).any():
        a, b = np.where(a > b, (a - 1) // branching, a), np.where(b > a, (b - 1) // branching, b)
    return a


def _node_distance(p: np.ndarray, q: np.ndarray, *, branching: int) -> np.ndarray:
    a, b = p[..., 0], q[..., 0]
    meeting = _lowest_common_ancestor(a, b, branching)
    return (_levels(a, branching) + _levels(b, branching) - 2 * _levels(meeting, branching)).astype(np.float64)


def _branch_distance(p: np.ndarray, q: np.ndarray, *, branching: int, length: float) -> np.ndarray:
    """Return distances between (end node of the branch, distance from the root) rows."""
    ends = _lowest_common_ancestor(p[..., 0].astype(np.int64), q[..., 0].astype(np.int64), branching)
    s, t = p[..., 1], q[..., 1]
    return s + t - 2.0 * np.minimum(np.minimum(s, t), length * _levels(ends, branching))


def _draw_nodes(observation: Observation, branching: int, n_nodes: int, depth: int) -> np.ndarray:
    """Draw different nodes, each next one with chances proportional to the density, in random order."""
    levels = _levels(np.arange(n_nodes), branching)[:, None].astype(np.float64)
    chances = observation.relative_density((levels,), lambda latent: latent[:, 0] / depth)
    if (chances > 0.0).sum() < observation.n_samples:
        raise ValueError(
            f"density is positive at {int((chances > 0.0).sum())} nodes, fewer than "
            f"n_samples = {observation.n_samples}."
        )
    rng = observation.generator("points")
    return rng.permutation(rng.choice(n_nodes, size=observation.n_samples, replace=False, p=chances / chances.sum()))


def _first_branch(nodes: np.ndarray, branching: int) -> np.ndarray:
    """Return which child of the root each node descends from, from 1; 0 for the root."""
    while (nodes > branching).any():
        nodes = np.where(nodes > branching, (nodes - 1) // branching, nodes)
    return nodes


def _adjacency(parents: np.ndarray) -> sparse.csr_array:
    """Return the symmetric adjacency matrix of a tree."""
    n = len(parents)
    children = np.arange(1, n)
    down = sparse.csr_array((np.ones(n - 1), (parents[1:], children)), shape=(n, n))
    return sparse.csr_array(down + down.T)
