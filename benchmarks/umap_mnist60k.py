"""UMAP's map of the MNIST test set and five turned copies, beside umap-learn and PaCMAP."""

from benchmarks.harness import Benchmark, Contender
from benchmarks.phate_mnist60k import prepare
from benchmarks.umap_mnist10k import holonomy, judge, load, pacmap, umap_learn

BENCHMARK = Benchmark(
    title="UMAP of the MNIST test set and five turned copies, 60,000 × 784",
    contenders=(
        Contender("holonomy", "holonomy", holonomy),
        Contender("umap-learn, no seed", "umap-learn", umap_learn),
        Contender("PaCMAP", "pacmap", pacmap),
    ),
    prepare=prepare,
    load=load,
    judge=judge,
)
