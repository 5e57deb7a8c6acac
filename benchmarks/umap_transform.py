"""Placing 10,000 new images on a map of 10,000 others, beside umap-learn: a saved model is read and used."""

import pickle
import warnings
from typing import Any

import numpy as np

from benchmarks.harness import Benchmark, Contender
from benchmarks.umap_mnist10k import load as load_images
from benchmarks.umap_mnist10k import prepare as prepare_images

DEGREES = 10


def prepare() -> None:
    """Write the models fitted to the images, and the images turned."""
    from scipy.ndimage import rotate
    from umap import UMAP as Peer

    from holonomy.embed import UMAP

    prepare_images()
    images = load_images()
    turned = rotate(images.reshape(-1, 28, 28), DEGREES, axes=(1, 2), reshape=False, order=1)
    np.save("turned.npy", np.clip(turned, 0, 255).reshape(images.shape))
    UMAP(random_state=0).fit(images).save("ours.holonomy")
    with open("theirs.pickle", "wb") as file:
        pickle.dump(Peer().fit(images), file)


def load() -> np.ndarray:
    """Read the turned images."""
    return np.load("turned.npy")


def holonomy(turned: np.ndarray) -> np.ndarray:
    """Read the model, once a process, and place the images."""
    return _model("ours").transform(turned)


def umap_learn(turned: np.ndarray) -> np.ndarray:
    """Read the model, once a process, and place the images."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _model("theirs").transform(turned)


_MODELS: dict[str, Any] = {}


def _model(whose: str) -> Any:
    if whose not in _MODELS:
        if whose == "ours":
            from holonomy import load_model

            _MODELS[whose] = load_model("ours.holonomy")
        else:
            with open("theirs.pickle", "rb") as file:
                _MODELS[whose] = pickle.load(file)  # noqa: S301 - written by prepare
    return _MODELS[whose]


def judge(placed: np.ndarray) -> dict[str, float]:
    """Return how often the vote of ten neighbours among the new places finds the digit, five-fold."""
    from sklearn.model_selection import StratifiedKFold, cross_val_score
    from sklearn.neighbors import KNeighborsClassifier

    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    return {"10-NN accuracy": cross_val_score(KNeighborsClassifier(10), placed, np.load("labels.npy"), cv=folds).mean()}


BENCHMARK = Benchmark(
    title="UMAP transform of 10,000 × 784 new rows",
    contenders=(
        Contender("holonomy", "holonomy", holonomy),
        Contender("umap-learn", "umap-learn", umap_learn),
    ),
    prepare=prepare,
    load=load,
    judge=judge,
)
