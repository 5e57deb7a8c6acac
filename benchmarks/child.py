"""What runs inside a measured process: ``python -m benchmarks.child FILE STEP [CONTENDER [REPEATS]]``.

The last line it prints is JSON. Files are exchanged in the current folder.
"""

import json
import re
import resource
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.harness import Benchmark, Contender, load_benchmark

RESULT = "result.npy"


def main(arguments: Sequence[str]) -> None:
    """Do one step of a benchmark and print what it found."""
    path, step, *rest = arguments
    benchmark = load_benchmark(Path(path))
    contender = benchmark.contender(rest[0]) if rest else None
    if step == "prepare":
        found = benchmark.prepare() or {}
    elif step == "process":
        found = _process(benchmark, contender)
    elif step == "calls":
        found = _calls(benchmark, contender, int(rest[1]))
    else:
        found = _judge(benchmark)
    sys.stdout.write("\n" + json.dumps(found) + "\n")


def _process(benchmark: Benchmark, contender: Contender) -> dict[str, Any]:
    result = contender.call(benchmark.load())
    if benchmark.judge:
        import numpy as np

        np.save(RESULT, np.asarray(result))
    return {"peak_mib": _peak_mib()}


def _calls(benchmark: Benchmark, contender: Contender, repeats: int) -> dict[str, Any]:
    """Time further calls in a process that has made one: what is left when everything is loaded and compiled."""
    data = benchmark.load()
    contender.call(data)
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        contender.call(data)
        seconds.append(time.perf_counter() - start)
    return {"call_s": seconds}


def _judge(benchmark: Benchmark) -> dict[str, float]:
    import numpy as np

    return {name: float(value) for name, value in benchmark.judge(np.load(RESULT)).items()}


def _peak_mib() -> float:
    """Return this process's own peak of resident memory.

    On Linux ``ru_maxrss`` starts from the peak of the process that started this one, so ``VmHWM`` is read instead.
    """
    status = Path("/proc/self/status")
    found = re.search(r"VmHWM:\s*(\d+) kB", status.read_text()) if status.exists() else None
    if found:
        return int(found.group(1)) / 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


if __name__ == "__main__":
    main(sys.argv[1:])
