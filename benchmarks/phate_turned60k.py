"""PHATE's map of the MNIST test set and copies turned all the way round, beside the phate package."""

from benchmarks.harness import Benchmark, Contender
from benchmarks.phate_mnist10k import holonomy, phate
from benchmarks.phate_mnist60k import write_turned
from benchmarks.umap_mnist10k import judge, load

DEGREES = (60, 120, 180, 240, 300)


def prepare() -> None:
    """Write the images, float32 of shape (60000, 784), and their labels."""
    write_turned(DEGREES)


BENCHMARK = Benchmark(
    title="PHATE of the MNIST test set and five copies turned by 60° each, 60,000 × 784",
    contenders=(Contender("holonomy", "holonomy", holonomy), Contender("phate", "phate", phate)),
    prepare=prepare,
    load=load,
    judge=judge,
)
