"""The mammals of WordNet in the Poincare ball: seconds until the closure is found again, ours beside gensim."""

import time
from collections.abc import Iterator
from statistics import median
from typing import Any

import numpy as np

from benchmarks.harness import Benchmark, Contender, seed

DIMENSION = 5
NEGATIVES = 10
BURN_IN = 10
ENOUGH = 0.9
EVERY = 5
"""Epochs from one judgement to the next."""

CAP_S = 50.0
"""Seconds of training after which a contender is stopped."""

COMMON = 0.85
"""A level below the one that is asked for, at which contenders that stop short of it are compared."""

STEP = 0.3
"""For both the best in trials: ours of 0.15 and 0.3 with seeds 0 and 1, gensim's of 0.1, 0.3, 0.5 and 1.0 with seed 0.

The default of gensim, 0.1, has a precision of 0.30 where 0.3 has 0.78, after 20 epochs; 0.5 stops at 0.87 and 1.0 at
0.70. Batches of 50 pairs instead of its 10 stop at 0.86 with 0.5.
"""


def prepare() -> None:
    """Write the pairs of the closure, (6542, 2)."""
    from holonomy import datasets

    np.save("pairs.npy", np.column_stack(datasets.load("wordnet_mammals").closure.nonzero()))


def load() -> np.ndarray:
    """Read the pairs."""
    return np.load("pairs.npy")


def precision(places: np.ndarray, pairs: np.ndarray) -> float:
    """Return the mean average precision of the pairs by the distances of places in the ball."""
    from holonomy.measure import link_ranking

    room = 1 - np.sum(places**2, axis=1)
    squares = np.sum((places[:, None] - places) ** 2, axis=-1)
    return link_ranking(squares / (room[:, None] * room), pairs).mean_average_precision


def traced(stages: Iterator[tuple[int, float, np.ndarray]], pairs: np.ndarray) -> np.ndarray:
    """Judge places after each stage until they are good enough: rows of epochs, seconds of training, precision."""
    rows = []
    for epochs, seconds, places in stages:
        rows.append((epochs, seconds, precision(places, pairs)))
        if rows[-1][2] >= ENOUGH or seconds >= CAP_S:
            break
    return np.array(rows)


def holonomy(pairs: np.ndarray) -> np.ndarray:
    """Embed on all cores: a fit for each number of epochs, whose own time counts, the compiling before it not."""
    from holonomy.embed import PoincareEmbedding

    def fitted(epochs: int) -> np.ndarray:
        options = {"n_negatives": NEGATIVES, "lr": STEP, "burn_in": BURN_IN, "random_state": seed()}
        return PoincareEmbedding(DIMENSION, epochs=epochs, **options).fit(pairs).embedding_

    def stages() -> Iterator[tuple[int, float, np.ndarray]]:
        fitted(1)
        epochs = BURN_IN
        while True:
            epochs += EVERY
            start = time.perf_counter()
            places = fitted(epochs)
            yield epochs, time.perf_counter() - start, places

    return traced(stages(), pairs)


def gensim(pairs: np.ndarray) -> np.ndarray:
    """Embed by the package, which goes on from where it was."""
    from gensim.models.poincare import PoincareModel

    def stages() -> Iterator[tuple[int, float, np.ndarray]]:
        start = time.perf_counter()
        names = [(str(a), str(b)) for a, b in pairs]
        options = {"alpha": STEP, "negative": NEGATIVES, "burn_in": BURN_IN, "seed": seed()}
        model = PoincareModel(names, size=DIMENSION, **options)
        rows = [int(name) for name in model.kv.index_to_key]
        spent, epochs = time.perf_counter() - start, BURN_IN
        while True:
            start = time.perf_counter()
            model.train(EVERY, print_every=10**9)
            spent += time.perf_counter() - start
            epochs += EVERY
            places = np.zeros((len(rows), DIMENSION))
            places[rows] = model.kv.vectors
            yield epochs, spent, places

    return traced(stages(), pairs)


def judge(rows: np.ndarray) -> dict[str, float]:
    """Return the precision reached, the epochs and seconds of training to it, and the seconds to the common level."""
    epochs, seconds, found = rows[-1]
    at = np.flatnonzero(rows[:, 2] >= COMMON)
    to_common = rows[at[0], 1] if len(at) else np.inf
    return {"precision": found, "epochs": epochs, "training (s)": seconds, f"training to {COMMON} (s)": to_common}


def remark(records: list[dict[str, Any]]) -> str:
    """Compare the seconds of training, and say what they go to."""
    ours, theirs = (one["quality"] for one in records)
    ratios = {
        name: [a / b for a, b in zip(theirs[name], ours[name], strict=True)]
        for name in ("training (s)", f"training to {COMMON} (s)")
    }
    whole, common = (f"{min(found):.0f} to {max(found):.0f}" for found in ratios.values())
    reached = min(theirs["precision"]) >= ENOUGH
    end = (
        "it"
        if reached
        else f"a precision of {min(theirs['precision']):.2f} to {max(theirs['precision']):.2f}, where it was stopped,"
    )
    pair_ns = 1e9 * median(ours["training (s)"]) / (6542 * median(ours["epochs"]))
    return (
        f"*training* is what counts: seconds until the mean average precision of the pairs is {ENOUGH}, judged for "
        f"both by the same code every {EVERY} epochs, which is not counted, for at most {CAP_S:.0f} s. (The processes, "
        f"in which it is, and in which ours is trained anew for every judgement, tell nothing.) gensim takes {whole} "
        f"times our seconds to {end} and {common} times to {COMMON}. Both draw {NEGATIVES} negatives for each pair, "
        f"with {BURN_IN} epochs of burn-in and a step of {STEP}. Ours takes {pair_ns / 1e3:.1f} microseconds for a "
        f"pair, on one core, as its batches of 147 pairs are too small to share out: {pair_ns / (NEGATIVES + 1):.0f} "
        "ns for each of the distances, with the drawing, the force and the move that go with it."
    )


BENCHMARK = Benchmark(
    title=f"Poincare embedding of the mammals of WordNet (6,542 pairs, 5 dimensions) to a precision of {ENOUGH}",
    contenders=(Contender("holonomy", "holonomy", holonomy), Contender("gensim", "gensim", gensim)),
    prepare=prepare,
    load=load,
    judge=judge,
    remark=remark,
)
