import os
import shutil

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.random_projection import GaussianRandomProjection

from holonomy.datasets import Table
from holonomy.report import map_report

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

HOSTILE = (
    "<script>window.hacked = 1</script>",
    "</script><script>window.hacked = 2</script>",
    "<img src=x onerror='window.hacked = 3'>",
    "\"'`${window.hacked = 4}{{7*7}}",
    "@color{$x} $$x^2$$",
    "👩‍🔬 שלום مرحبا",
    "\u202egnirts\u2028line\u2029end]]><!--",
    "x" * 10_000,
)


def hostile_table(n_points=60):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_points, 4))
    X[: n_points // 2] += 6
    names = tuple(f"{name[:40]} {i}" for i, name in enumerate(HOSTILE[:4]))
    kind = np.array([HOSTILE[i % len(HOSTILE)] for i in range(n_points)], dtype=object)
    return Table(
        X=X,
        feature_names=names,
        labels={HOSTILE[0]: kind, "id": np.array([f"<b>{i}</b>" for i in range(n_points)], dtype=object)},
        numeric={name: X[:, i] for i, name in enumerate(names)},
        name=HOSTILE[1],
        label=HOSTILE[0],
        notes=(HOSTILE[2],),
    )


@pytest.fixture(scope="session")
def hostile_report():
    return map_report(hostile_table(), method=PCA(2), n_neighbors=8)


@pytest.fixture(scope="session")
def plain_report():
    """Three groups in six dimensions, mapped by chance rather than by PCA."""
    rng = np.random.default_rng(0)
    group = np.repeat(["a", "b", "c"], 40)
    X = rng.normal(size=(120, 6)) + 4 * (group[:, None] == np.array(list("abcabc")))
    return map_report(
        X, method=GaussianRandomProjection(2, random_state=0), labels=group, n_neighbors=10, name="groups"
    )


def find_browser():
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)


@pytest.fixture(scope="session")
def browser():
    path = find_browser()
    if path is None:
        reason = f"no browser found: set CHROMIUM, or install one of {', '.join(BROWSERS)}"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        launched = driver.chromium.launch(executable_path=path, args=FLAGS)
        yield launched
        launched.close()
