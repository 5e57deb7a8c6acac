"""The map of the MNIST test set by UMAP, beside umap-learn, PaCMAP and TorchDR."""

from typing import Any

import numpy as np

from benchmarks.harness import Benchmark, Contender, seed

SEED = 0
TRUST_ROWS = 2000


def prepare() -> None:
    """Write the images, float32 of shape (10000, 784), and their labels."""
    from holonomy import datasets

    digits = datasets.load("mnist", split="test")
    np.save("images.npy", np.asarray(digits.X, dtype=np.float32))
    np.save("labels.npy", np.asarray(digits.target))


def load() -> np.ndarray:
    """Read the images."""
    return np.load("images.npy")


def holonomy(images: np.ndarray) -> np.ndarray:
    """Map with a seed, on all cores."""
    from holonomy.embed import UMAP

    return UMAP(random_state=seed()).fit_transform(images)


def umap_learn(images: np.ndarray) -> np.ndarray:
    """Map without a seed, on all cores."""
    from umap import UMAP

    return UMAP().fit_transform(images)


def pacmap(images: np.ndarray) -> np.ndarray:
    """Map with PaCMAP's own settings, on all cores."""
    from pacmap import PaCMAP

    return PaCMAP().fit_transform(images)


def torchdr(images: np.ndarray) -> np.ndarray:
    """Map with TorchDR's own settings, by torch on all cores."""
    from torchdr import UMAP

    return UMAP(device="cpu").fit_transform(images)


def judge(coordinates: np.ndarray) -> dict[str, float]:
    """Return 10-NN label accuracy, five-fold, and trustworthiness (15 neighbours) of a fixed part of the rows."""
    from sklearn.manifold import trustworthiness
    from sklearn.model_selection import StratifiedKFold, cross_val_score
    from sklearn.neighbors import KNeighborsClassifier

    folds = StratifiedKFold(5, shuffle=True, random_state=SEED)
    accuracy = cross_val_score(KNeighborsClassifier(10), coordinates, np.load("labels.npy"), cv=folds).mean()
    rows = np.random.default_rng(SEED).choice(len(coordinates), TRUST_ROWS, replace=False)
    trust = trustworthiness(load()[rows], coordinates[rows], n_neighbors=15)
    return {"10-NN accuracy": accuracy, "trustworthiness": trust}


def remark(_: list[dict[str, Any]]) -> str:
    """Say what bounds the time."""
    return (
        "What bounds it: of a call of 1.0 s, the search takes 0.36 s (half for the cells), the start 0.06 s, and 500 "
        "epochs of the layout 0.58 s. The rest of a process is imports, 1.1 s, of which scikit-learn 0.6 s, compiled "
        "code read from the disk, and the end of the interpreter, 0.4 s. "
        "A process of umap-learn takes 28 s more than a further call in it, of PaCMAP 2 s, of TorchDR 4 s."
    )


BENCHMARK = Benchmark(
    title="UMAP of the MNIST test set, 10,000 × 784",
    contenders=(
        Contender("holonomy", "holonomy", holonomy),
        Contender("umap-learn, no seed", "umap-learn", umap_learn),
        Contender("PaCMAP", "pacmap", pacmap),
        Contender("TorchDR's UMAP", "torchdr", torchdr),
    ),
    prepare=prepare,
    load=load,
    judge=judge,
    remark=remark,
)
