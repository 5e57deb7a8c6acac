"""Memory of a map: the estimate against what a process took, and refusing what does not fit."""

import subprocess
import sys

import numpy as np
import pytest
from scipy import sparse

from holonomy.embed import UMAP
from holonomy.embed._umap_memory import peak_memory
from holonomy.manifolds import Sphere

PROGRAM = """
import sys
import numpy as np
from holonomy.embed import UMAP

def memory(name):
    with open("/proc/self/status") as file:
        return 1024 * int(next(line.split()[1] for line in file if line.startswith(name)))

rng = np.random.default_rng(0)
UMAP(n_epochs=2, random_state=0).fit(rng.normal(size=(2000, 10)).astype(np.float32))
n, d = int(sys.argv[1]), int(sys.argv[2])
X = (rng.normal(size=(n, 6)) @ rng.normal(size=(6, d))).astype(np.float32)
model = UMAP(n_epochs=2, random_state=0)
before = memory("VmRSS")
with open("/proc/self/clear_refs", "w") as file:
    file.write("5")
model.fit(X)
print(before, memory("VmHWM"), model.peak_memory(X))
"""


def test_maps_on_manifolds_take_more():
    X = np.zeros((200_000, 3), dtype=np.float32)
    flat, sphere = (UMAP(3, 2, init="random", output_metric=space).peak_memory(X) for space in ("euclidean", Sphere(2)))
    assert flat < sphere < flat + 200_000 * 500


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
@pytest.mark.parametrize(("n", "d"), [(12_000, 600), (60_000, 30)])
def test_the_peak_of_the_process_is_predicted_within_a_fifth(n, d):
    command = [sys.executable, "-c", PROGRAM, str(n), str(d)]
    before, peak, predicted = map(int, subprocess.run(command, capture_output=True, check=True).stdout.split())
    assert abs(before + predicted - peak) < 0.2 * peak


@pytest.mark.parametrize("metric", ["euclidean", "cosine", "manhattan", "canberra", "precomputed"])
def test_more_rows_columns_and_neighbours_take_more(metric):
    def needed(n, d, k):
        X = np.broadcast_to(np.float32(0), (n, d))
        return peak_memory(X, metric, k, 2, is_spectral=True)

    assert needed(1_000_000, 50, 15) > needed(200_000, 50, 15) > needed(50_000, 50, 15)
    assert needed(1_000_000, 50, 60) > needed(1_000_000, 50, 15)
    assert needed(1_000_000, 500, 15) >= needed(1_000_000, 50, 15)


def test_a_million_rows_stay_linear_and_a_start_without_eigenvectors_takes_less():
    X = np.broadcast_to(np.float32(0), (1_000_000, 50))
    assert UMAP().peak_memory(X) < 8 * 2**30
    assert UMAP(init="pca").peak_memory(X) <= UMAP().peak_memory(X)
    assert UMAP().peak_memory([[1.0, 2.0], [3.0, 4.0]]) < 2**20
    assert UMAP().peak_memory(sparse.csr_array((1000, 30))) > 0
    assert UMAP(metric="cosine").peak_memory(sparse.csr_array((10_000, 1_000_000))) < 2**30


def test_what_does_not_fit_is_refused_before_the_start(monkeypatch):
    monkeypatch.setenv("HOLONOMY_MEMORY_LIMIT", "1MiB")
    model = UMAP(random_state=0)
    with pytest.raises(MemoryError, match=r"a map of 20000 x 50 data needs about .* are available\. Fit a sample"):
        model.fit(np.zeros((20_000, 50), dtype=np.float32))
    assert not hasattr(model, "graph_")
    monkeypatch.setenv("HOLONOMY_MEMORY_LIMIT", "4GiB")
    UMAP(n_epochs=2, random_state=0).fit(np.random.default_rng(0).normal(size=(40, 3)))
