import os
import shutil
from dataclasses import replace

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.random_projection import GaussianRandomProjection

from holonomy.datasets import Table
from holonomy.report import map_report
from holonomy.report.columns import make_column, number_column

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
def large_report():
    """A hundred thousand points in twelve groups; measuring such a map is not what is tested here."""
    rng = np.random.default_rng(0)
    n = 100_000
    group = rng.integers(0, 12, n)
    X = (5 * rng.normal(size=(12, 10))[group] + rng.normal(size=(n, 10))).astype(np.float32)
    sample = map_report(X[:300], method=PCA(2), labels=[f"group {g}" for g in group[:300]], name="large", checks="none")
    plane = PCA(2).fit_transform(X).astype(np.float32)
    trust = np.clip(1 - 0.3 * rng.random(n), 0, 1)
    further = tuple(number_column(f"f{i}", rng.normal(size=n)) for i in range(10))
    return replace(
        sample,
        embedding=plane,
        baseline=plane[:, ::-1].copy(),
        evidence=replace(sample.evidence, trust=trust, metric=None),
        local_dimension=10 * rng.random(n),
        labels=(make_column("group", [f"group {g}" for g in group], n),),
        columns=tuple(number_column(f"x{i}", X[:, i]) for i in range(8)),
        further=further,
        _page={},
    )


@pytest.fixture(scope="session")
def driver():
    if find_browser() is None:
        reason = f"no browser found: set CHROMIUM, or install one of {', '.join(BROWSERS)}"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def browser(driver):
    launched = driver.chromium.launch(executable_path=find_browser(), args=FLAGS)
    yield launched
    launched.close()


@pytest.fixture
def browser_without_webgl(driver):
    launched = driver.chromium.launch(executable_path=find_browser(), args=[*FLAGS, "--disable-3d-apis"])
    yield launched
    launched.close()
