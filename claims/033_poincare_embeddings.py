"""Poincare embeddings (Nickel, Kiela 2017): what a hierarchy needs of dimensions, and of time.

Data: the closure of the mammals of WordNet (1,182 nodes, 6,542 pairs) and that of all nouns (82,115 nodes, 743,241
pairs), from the database of WordNet 3.0; balanced trees; and three networks (blogs linked by politics, a power grid,
flights between airports), of which a tenth of the edges is held out.

Quality is the mean average precision (MAP) and the mean rank of the pairs among all pairs that are none, exact. Flat
space is embedded by the same descent with the same pairs, epochs and negative samples, and gets what is best for it:
the best of three steps of plain and two of squared distances, chosen by the very number it is then judged by.
The step of hyperbolic space on the mammals, 0.15, is the best of five in trials with seed 0 on these same pairs.

The numbers of the paper are recalled from its Table 2 (nouns, reconstruction: 0.823 and 4.9 in 5 dimensions, 0.851 and
4.02 in 10), where training took 1,500 epochs; here all nouns are trained for 20, and measured at 10,000 random nodes,
each ranked among all. Times are wall seconds of a fit, after one that compiles, on two cores that others used too.
HyperLex, and the networks of coauthors, are not at hand.
"""

import time
from functools import cache

import numpy as np
from scipy import sparse
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score

from claims.experiment import Outcome, check
from holonomy.datasets import load, make_balanced_tree
from holonomy.embed import PoincareEmbedding, stochastic_mds
from holonomy.graphs import hierarchy_depths, split_closure

DIMENSION = 5
MAMMALS = {"epochs": 60, "burn_in": 10, "lr": 0.15}
FLAT_STEPS = {"euclidean": (0.3, 1.0, 3.0), "squared_euclidean": (0.03, 0.1)}
NETWORK_STEPS = (0.1, 0.3)
ENOUGH = 0.9
NOUNS = {"epochs": 20, "burn_in": 2, "lr": 0.3, "dtype": "float32"}
NOUNS_MEASURED = 10_000
NOUN_SAMPLE = 20_000
PAPER = {5: (0.823, 4.9), 10: (0.851, 4.02)}
NETWORKS = ("polblogs", "power", "airport")


@cache
def closure(name):
    """Return the closure of the mammals or of the nouns."""
    return sparse.csr_array(load(f"wordnet_{name}").closure)


@cache
def compiled():
    """Compile the steps of every space."""
    links = sparse.csr_array(np.triu(np.ones((60, 60)), 1))
    for manifold in ("poincare", "hyperboloid", *FLAT_STEPS):
        for dtype in ("float32", "float64"):
            for batch in (20, 400):
                PoincareEmbedding(
                    2, manifold=manifold, dtype=dtype, batch_size=batch, epochs=2, burn_in=1, n_negatives=5,
                    random_state=0,
                ).fit(links).evaluate()  # fmt: skip


def embedded(links, seed, dim=DIMENSION, **options):
    """Return a model of pairs, and the seconds it took."""
    compiled()
    model = PoincareEmbedding(dim, random_state=seed, **options)
    start = time.perf_counter()
    model.fit(links)
    return model, time.perf_counter() - start


@cache
def mammals(seed):
    """Return MAP, mean rank and seconds of the mammals in the ball."""
    model, seconds = embedded(closure("mammals"), seed, **MAMMALS)
    ranking = model.evaluate()
    return ranking.mean_average_precision, ranking.mean_rank, seconds


def best_of(score, steps, links, seed, dim=DIMENSION, **options):
    """Return the best score over the steps of each space; a descent that diverges has none."""
    found = []
    for manifold, rates in steps.items():
        for lr in rates:
            try:
                found.append(score(embedded(links, seed, dim, **{**options, "manifold": manifold, "lr": lr})[0]))
            except ValueError as error:
                if "diverged" not in str(error):
                    raise
    return max(found)


def precision(model):
    """Return the MAP of the fitted pairs."""
    return model.evaluate().mean_average_precision


@check("In 5 dimensions of hyperbolic space the pairs of all mammals are found with a MAP of 0.9.", "measured >= 0.9")
def mammals_precision(seed):
    """MAP of the closure."""
    return Outcome(mammals(seed)[0])


@check("In 5 dimensions the mean rank of the pairs of the mammals is at most 2.5.", "measured <= 2.5")
def mammals_rank(seed):
    """Mean rank of the closure."""
    return Outcome(mammals(seed)[1])


@check("The mammals take at most a minute on two cores.", "measured <= 60")
def mammals_seconds(seed):
    """Wall seconds of the fit."""
    return Outcome(mammals(seed)[2])


@check(
    "With the same budget flat space of 5 dimensions falls short by 0.3 in MAP, whatever its step.",
    "measured - baseline >= 0.3",
)
def mammals_in_flat_space(seed):
    """Compare with the best of flat space."""
    flat = best_of(precision, FLAT_STEPS, closure("mammals"), seed, **MAMMALS)
    return Outcome(mammals(seed)[0], flat)


@check("Flat space needs more than 20 dimensions for what hyperbolic space does in 5.", "measured > baseline")
def mammals_in_20_flat_dimensions(seed):
    """Compare with the best of flat space of 20 dimensions."""
    return Outcome(mammals(seed)[0], best_of(precision, FLAT_STEPS, closure("mammals"), seed, 20, **MAMMALS))


def by_gensim(pairs, dim, seed, **options):
    """Return gensim's model of pairs of numbers."""
    from gensim.models.poincare import PoincareModel

    return PoincareModel([(str(a), str(b)) for a, b in pairs], size=dim, seed=seed, **options)


@check(
    "A MAP of 0.9 of the mammals in 5 dimensions takes a fifth of the time of ten epochs of gensim, which leave "
    "it far below.",
    "5 * measured <= baseline",
)
def time_to_precision_beside_gensim(seed):
    """Compare wall seconds; in a run apart gensim had 0.18 after ten epochs, 0.81 after 160.

    With the best step for it, three times its default, it reaches 0.9 too, in 37 to 50 s, which is 88 to 134 times
    ours: that is the benchmark ``poincare_mammals``.
    """
    model, seconds = embedded(closure("mammals"), seed, **{**MAMMALS, "epochs": 40})
    if precision(model) < ENOUGH:
        seconds = np.inf
    links = closure("mammals")
    start = time.perf_counter()
    by_gensim(np.column_stack(links.nonzero()), DIMENSION, seed).train(10, print_every=10**9)
    spent = time.perf_counter() - start
    return Outcome(seconds, spent)


@cache
def nouns(dim, seed):
    """Return MAP, mean rank and seconds of all nouns."""
    model, seconds = embedded(closure("nouns"), seed, dim, **NOUNS)
    ranking = model.evaluate(subsample=NOUNS_MEASURED, random_state=seed)
    return ranking.mean_average_precision, ranking.mean_rank, seconds


@check(
    "All nouns reach the MAP of the paper's table, trained for a few minutes instead of 1,500 epochs.",
    "measured >= baseline",
    reason="20 epochs, a minute, are too few: 0.43 to 0.46 in 5 dimensions and 0.57 to 0.61 in 10. One longer run in "
    "10 dimensions, 150 epochs with seed 0 (450 s of CPU time; 23 minutes on cores that others used and that "
    "were taken away at times), came to 0.79. Its schedule was chosen on the 12,440 nouns below one node, with "
    "one other seed; there 20 epochs as here give 0.72: a longer burn-in, more epochs of fewer negatives (20), "
    "and a constant step of 0.6 (0.86 after 40 epochs there) do better; a step that falls to 0, larger steps "
    "and smaller batches do not, and 50 negatives gain little. What keeps it from 0.85 was not found out; 3 % "
    "of its nodes are at the outermost radius of single precision.",
)
def nouns_precision(seed):
    """MAP of the closure beside the paper's."""
    cases = {f"{dim} dimensions": nouns(dim, seed)[0] for dim in PAPER}
    return Outcome(cases, {f"{dim} dimensions": paper[0] for dim, paper in PAPER.items()})


@check(
    "All nouns reach the mean rank of the paper's table in that time.",
    "measured <= baseline",
    reason="As for the MAP: after 20 epochs the mean rank is 131 to 156 in 5 dimensions, and 105 to 108 in 10; after "
    "the longer run in 10 dimensions it is 16.",
)
def nouns_rank(seed):
    """Mean rank of the closure beside the paper's."""
    cases = {f"{dim} dimensions": nouns(dim, seed)[1] for dim in PAPER}
    return Outcome(cases, {f"{dim} dimensions": paper[1] for dim, paper in PAPER.items()})


@check(
    "All nouns are trained for at most three minutes on two cores.",
    "measured <= 180",
    reason="The fits of the first seed shared the two cores with other work and took 173 and 228 s; the others, which "
    "had more of them, took 45 to 74 s.",
)
def nouns_seconds(seed):
    """Wall seconds of the fits."""
    return Outcome({f"{dim} dimensions": nouns(dim, seed)[2] for dim in PAPER})


@check(
    "Pairs of nouns are taken at ten times the rate of gensim, each of us with 50 negatives.",
    "measured >= 10 * baseline",
)
def pairs_a_second(seed):
    """Pairs a second of all epochs of all nouns in 10 dimensions; of gensim those of one epoch of a part of them."""
    pairs = np.column_stack(closure("nouns").nonzero())
    part = pairs[np.random.default_rng(seed).choice(len(pairs), NOUN_SAMPLE, replace=False)]
    peer = by_gensim(part, 10, seed, negative=50, burn_in=0)
    start = time.perf_counter()
    peer.train(1, print_every=10**9)
    theirs = NOUN_SAMPLE / (time.perf_counter() - start)
    return Outcome(len(pairs) * NOUNS["epochs"] / nouns(10, seed)[2], theirs)


@check(
    "Pairs of the mammals that were held out, but follow from the others, are found better in hyperbolic space of 5 "
    "dimensions than in flat space.",
    "measured > baseline",
)
def held_out_pairs(seed):
    """Hold out a tenth of the pairs that the reduction does not need; flat space is judged by its best on these."""
    kept, held_out = split_closure(closure("mammals"), 0.1, random_state=seed)

    def score(model):
        return model.evaluate(np.column_stack(held_out.nonzero())).mean_average_precision

    return Outcome(score(embedded(kept, seed, **MAMMALS)[0]), best_of(score, FLAT_STEPS, kept, seed, **MAMMALS))


@cache
def network_areas(name, seed):
    """Return the areas under the ROC curve of held-out edges against pairs that are none, in ball and flat space."""
    links = load(name).adjacency
    links = sparse.csr_array(((links + links.T) > 0).astype(np.float64))
    links.setdiag(0)
    links.eliminate_zeros()
    n = links.shape[0]
    pairs = np.column_stack(sparse.triu(links, 1).nonzero())
    rng = np.random.default_rng(seed)
    out = rng.permutation(len(pairs)) < len(pairs) // 10
    kept = sparse.csr_array((np.ones(np.sum(~out)), pairs[~out].T), shape=(n, n))
    others = rng.integers(n, size=(2 * len(pairs), 2))
    others = others[(others[:, 0] != others[:, 1]) & ~np.asarray(links[others[:, 0], others[:, 1]] > 0).ravel()]
    asked = np.vstack([pairs[out], others[: len(pairs)]])
    is_edge = np.arange(len(asked)) < out.sum()

    def score(model):
        return float(roc_auc_score(is_edge, model.score_pairs(asked)))

    options = {"objective": "fermi_dirac", "curve": "learned", "n_negatives": 10, "epochs": 30, "burn_in": 5}
    both = sparse.csr_array(kept + kept.T)
    return tuple(best_of(score, {space: NETWORK_STEPS}, both, seed, **options) for space in ("poincare", "euclidean"))


@check(
    "Held-out edges of networks are told from pairs that are none better in hyperbolic space of 5 dimensions than in "
    "flat space.",
    "measured > baseline",
    reason="It holds on the blogs (0.94 against 0.90). On airports flat space is ahead by 0.003 to 0.006, on the power "
    "grid by 0.15 to 0.20 (0.53 in the ball, near chance). Why was not found out: 30 epochs and two steps were tried, "
    "longer training was not.",
)
def held_out_edges_of_networks(seed):
    """Area under the ROC curve; both spaces at their best step."""
    areas = {name: network_areas(name, seed) for name in NETWORKS}
    return Outcome({name: area[0] for name, area in areas.items()}, {name: area[1] for name, area in areas.items()})


@cache
def tree_links(branching, depth):
    """Return the edges of a balanced tree, from children to parents."""
    parents = make_balanced_tree(branching=branching, depth=depth).parents
    n = len(parents)
    return sparse.csr_array((np.ones(n - 1), (np.arange(1, n), parents[1:])), shape=(n, n))


@check("In an embedded tree the norm tells the depth: their rank correlation is above 0.6.", "measured > 0.6")
def norms_and_depths(seed):
    """Embed a tree of 3 children and 5 levels, by its closure, in 5 dimensions."""
    links = tree_links(3, 5)
    model, _ = embedded(links, seed, closure=True, **MAMMALS)
    return Outcome(float(spearmanr(np.linalg.norm(model.embedding_, axis=1), hierarchy_depths(links)).statistic))


@cache
def tree_error(seed, manifold):
    """Return the error of the distances of a binary tree of 6 levels, relative to them and at the best scale."""
    tree = make_balanced_tree(branching=2, depth=6)
    rows = np.arange(len(tree.parents))
    wanted = tree.geodesic_distances(rows[:, None], rows)
    above = np.triu_indices(len(rows), 1)
    if manifold == "plane":
        Z = stochastic_mds(wanted, 2, weight_power=2, init="random", random_state=seed).embedding
        found = np.linalg.norm(Z[above[0]] - Z[above[1]], axis=1)
    else:
        options = {"manifold": manifold, "n_negatives": 20, "epochs": 400, "burn_in": 40, "lr": 0.1}
        found = embedded(sparse.csr_array(tree.graph), seed, 2, **options)[0].distance(*above)
    ratio = found / wanted[above]
    return float(np.sqrt(np.mean((ratio.sum() / np.sum(ratio**2) * ratio - 1) ** 2)))


@check(
    "Distances of a binary tree have less relative error in the hyperbolic plane, embedded by its edges, than in the "
    "flat one, scaled to have the least.",
    "measured < baseline",
    reason="The errors are 0.33 and 0.28. The loss ranks neighbours and does not fit distances, and the map in the "
    "plane was made to have the least of just this error. Other losses and steps were not tried.",
)
def distances_of_a_tree(seed):
    """Compare with scaling by the stress that is this very error."""
    return Outcome(tree_error(seed, "hyperboloid"), tree_error(seed, "plane"))


@check("The ball and the hyperboloid give the same distances for all mammals after 100 steps.", "measured <= 1e-6")
def charts_agree(seed):
    """Largest difference of distances of pairs of the closure, in double precision."""
    links = closure("mammals")
    options = {"epochs": 2, "burn_in": 1, "batch_size": 2 * links.nnz // 100 + 1, "lr": 0.1}
    ball, sheet = (embedded(links, seed, manifold=name, **options)[0] for name in ("poincare", "hyperboloid"))
    pairs = links.nonzero()
    return Outcome(float(np.abs(ball.distance(*pairs) - sheet.distance(*pairs)).max()))


@check("Mean rank and MAP in blocks are those of all distances at once.", "measured <= 1e-12")
def ranking_by_definition(seed):
    """Rank the pairs of 400 mammals by sorting all distances."""
    model, _ = embedded(closure("mammals"), seed, **{**MAMMALS, "epochs": 5, "burn_in": 1})
    n = len(model.labels_)
    links = model.links_.toarray() > 0
    nodes = np.flatnonzero(links.any(axis=1))[:400]
    ranks, precisions = [], []
    for u in nodes:
        row = model.distance(np.full(n, u), np.arange(n))
        negatives = row[~links[u] & (np.arange(n) != u)]
        before = np.array([np.sum(negatives < d) for d in np.sort(row[links[u]])])
        ranks.append(np.mean(before + 1))
        precisions.append(np.mean(np.arange(1, len(before) + 1) / (np.arange(1, len(before) + 1) + before)))
    found = model.evaluate()
    own = np.add.reduceat(found.ranks, found.indptr[:-1]) / np.diff(found.indptr)
    errors = np.abs(found.average_precisions[:400] - precisions), np.abs(own[:400] - ranks)
    return Outcome(float(max(error.max() for error in errors)))
