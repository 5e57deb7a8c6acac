"""UMAP's map of 70,000 images: the MNIST test set and six turned copies, as many as all of MNIST has."""

from benchmarks.harness import Benchmark, Contender
from benchmarks.phate_mnist60k import write_turned
from benchmarks.umap_mnist10k import holonomy, judge, load

DEGREES = (-30, -20, -10, 10, 20, 30)


def prepare() -> None:
    """Write the images, float32 of shape (70000, 784), and their labels."""
    write_turned(DEGREES)


BENCHMARK = Benchmark(
    title="UMAP of the MNIST test set and six turned copies, 70,000 × 784",
    contenders=(Contender("holonomy", "holonomy", holonomy),),
    prepare=prepare,
    load=load,
    judge=judge,
)
