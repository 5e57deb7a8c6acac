"""PHATE's map of the MNIST test set, beside the phate package."""

import numpy as np

from benchmarks.harness import Benchmark, Contender, seed
from benchmarks.umap_mnist10k import judge, load, prepare


def holonomy(images: np.ndarray) -> np.ndarray:
    """Map with a seed, on all cores."""
    from holonomy.embed import PHATE

    return PHATE(random_state=seed()).fit_transform(images)


def phate(images: np.ndarray) -> np.ndarray:
    """Map with the package's own settings, on all cores."""
    from phate import PHATE

    return PHATE(random_state=seed(), n_jobs=-1, verbose=0).fit_transform(images)


BENCHMARK = Benchmark(
    title="PHATE of the MNIST test set, 10,000 × 784",
    contenders=(Contender("holonomy", "holonomy", holonomy), Contender("phate", "phate", phate)),
    prepare=prepare,
    load=load,
    judge=judge,
)
