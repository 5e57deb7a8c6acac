import threading

import numpy as np
import pytest

from holonomy._core.parallel import threads
from holonomy.graphs._blocks import run_blocks


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("n_rows", [0, 1, 10, 11])
def test_every_row_is_done_once(count, n_rows):
    done = np.zeros(n_rows, dtype=int)

    def work(start, stop):
        done[start:stop] += 1

    with threads(count):
        run_blocks(work, n_rows, block=5)
    assert (done == 1).all()


def test_blocks_do_not_depend_on_the_number_of_threads():
    seen = []
    for count in (1, 2):
        blocks = []
        lock = threading.Lock()

        def work(start, stop, blocks=blocks, lock=lock):
            with lock:
                blocks.append((start, stop))

        with threads(count):
            run_blocks(work, 23, block=4)
        seen.append(sorted(blocks))
    assert seen[0] == seen[1]


@pytest.mark.parametrize("count", [1, 2])
def test_errors_are_passed_on(count):
    def work(start, stop):
        if start == 4:
            raise ValueError(f"block {start}")

    with threads(count), pytest.raises(ValueError, match="block 4"):
        run_blocks(work, 12, block=4)
