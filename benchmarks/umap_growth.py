"""How the time and the memory of UMAP grow with rows and with columns."""

import math
from itertools import pairwise
from typing import Any

import numpy as np

from benchmarks.harness import Benchmark, Contender
from benchmarks.million_rows import umap

ROWS = (1_000, 4_000, 16_000, 64_000, 256_000)
COLUMNS = (16, 256, 1024)
FIXED_ROWS, FIXED_COLUMNS = 16_000, 64
INNER = 12


def prepare() -> None:
    """Write rows that lie near a curved surface of twelve dimensions, float32."""
    rng = np.random.default_rng(0)
    inner = rng.normal(size=(max(ROWS), INNER))
    np.save("rows.npy", _lifted(inner, FIXED_COLUMNS, rng))
    for columns in COLUMNS:
        np.save(f"rows {columns}.npy", _lifted(inner[:FIXED_ROWS], columns, rng))


def _lifted(inner: np.ndarray, columns: int, rng: np.random.Generator) -> np.ndarray:
    wide = np.sin(inner @ rng.normal(0, 0.4, (INNER, columns)) + rng.uniform(0, 6, columns))
    return (wide + rng.normal(0, 0.05, wide.shape)).astype(np.float32)


def load() -> None:
    """Read nothing: each contender reads rows of its own."""


def _rows(count: int) -> Contender:
    def call(_: None) -> np.ndarray:
        return umap(np.load("rows.npy", mmap_mode="r")[:count])

    return Contender(f"{count:,} × {FIXED_COLUMNS}", "holonomy", call)


def _columns(count: int) -> Contender:
    def call(_: None) -> np.ndarray:
        return umap(np.load(f"rows {count}.npy"))

    return Contender(f"{FIXED_ROWS:,} × {count:,}", "holonomy", call)


def _exponents(values: dict[int, float]) -> str:
    sizes = sorted(values)
    steps = [math.log(values[b] / values[a]) / math.log(b / a) for a, b in pairwise(sizes)]
    return ", ".join(f"{step:.2f}" for step in steps)


def remark(records: list[dict[str, Any]]) -> str:
    """Say by which powers time and memory grow from each size to the next."""
    seconds = [float(np.median(one["call_s"])) for one in records]
    memory = [float(np.median(one["peak_mib"])) for one in records]
    by_rows = dict(zip(ROWS, seconds, strict=False))
    by_columns = dict(zip(COLUMNS, seconds[len(ROWS) :], strict=True)) | {FIXED_COLUMNS: by_rows[FIXED_ROWS]}
    return (
        f"From {', '.join(f'{n:,}' for n in ROWS[:-1])} rows to four times as many, the time of a call grows by the "
        f"powers {_exponents(by_rows)} (500 epochs up to 10,000 rows, 200 beyond), and the peak memory of the process "
        f"by {_exponents(dict(zip(ROWS, memory, strict=False)))}. From {', '.join(map(str, sorted(by_columns)[:-1]))} "
        f"columns to the next number of them the time grows by the powers {_exponents(by_columns)}."
    )


BENCHMARK = Benchmark(
    title="Growth of UMAP with rows and columns",
    contenders=(*map(_rows, ROWS), *map(_columns, COLUMNS)),
    prepare=prepare,
    load=load,
    remark=remark,
)
