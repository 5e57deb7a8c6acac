import os
import pty
import subprocess
import sys
import threading
import time

import pytest

from holonomy._core import progress as module
from holonomy._core.progress import progress, track


def run_on_terminal(code: str) -> tuple[str, str]:
    """Run ``code`` with standard error on a pseudo-terminal; return what it wrote to stdout and to the terminal."""
    master, slave = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=slave, env=environment)
    os.close(slave)
    written = b""
    while True:
        try:
            chunk = os.read(master, 65536)
        except OSError:  # Linux reports the far end's closing as an error.
            break
        if not chunk:
            break
        written += chunk
    out, _ = process.communicate()
    os.close(master)
    assert process.returncode == 0, written.decode()
    return out.decode(), written.decode()


def test_track_yields_every_item_in_order():
    assert list(track(iter("abc"), "Reading")) == ["a", "b", "c"]
    assert list(track(range(4), "Counting", enabled=False)) == [0, 1, 2, 3]


def test_no_bar_and_no_rich_where_standard_error_is_not_a_terminal():
    code = (
        "import sys, time\n"
        "from holonomy._core.progress import progress, DELAY\n"
        "with progress('Working', total=2) as bar:\n"
        "    time.sleep(DELAY + 0.2); bar.advance(); bar.set(description='Still')\n"
        "print('rich' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
    assert done.stderr == ""


def test_a_run_longer_than_the_delay_shows_its_bar_on_a_terminal_and_stdout_stays_clean():
    code = (
        "import time\n"
        "from holonomy._core import progress as p\n"
        "p.DELAY = 0.1\n"
        "with p.progress('[bold]Working', total=4) as bar:\n"
        "    for _ in range(4):\n"
        "        time.sleep(0.2); bar.advance(); print('a result')\n"
    )
    out, terminal = run_on_terminal(code)
    assert out == "a result\n" * 4
    assert "[bold]Working" in terminal
    assert "100%" in terminal
    assert "a result" not in terminal


def test_a_short_run_on_a_terminal_shows_nothing_and_does_not_import_rich():
    code = (
        "import sys\n"
        "from holonomy._core.progress import track\n"
        "for _ in track(range(3), 'Working'): pass\n"
        "print('rich' in sys.modules)"
    )
    out, terminal = run_on_terminal(code)
    assert (out, terminal) == ("False\n", "")


def test_a_first_step_that_is_long_still_shows_the_bar():
    code = (
        "import time\n"
        "from holonomy._core import progress as p\n"
        "p.DELAY = 0.1\n"
        "with p.progress('Thinking'): time.sleep(0.6)\n"
    )
    assert "Thinking" in run_on_terminal(code)[1]


def test_the_time_left_counts_down_between_long_steps(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    with progress("Mapping", total=10, enabled=False) as bar:
        assert bar.time_left() is None
        now[0] += 2
        bar.advance(1)
        assert bar.time_left() == pytest.approx(18)
        now[0] += 5
        assert bar.time_left() == pytest.approx(13)
        now[0] += 14
        assert bar.time_left() is None
        bar.advance(6)
        assert bar.time_left() == pytest.approx(9)


@pytest.mark.parametrize(("seconds", "text"), [(None, "-:--:--"), (0.2, "0:00:01"), (61, "0:01:01"), (7325, "2:02:05")])
def test_times_in_words(seconds, text):
    assert module.shown_time(seconds) == text


def test_a_new_description_is_shown_at_once():
    code = (
        "import time\n"
        "from holonomy._core.progress import progress\n"
        "with progress('first', total=4, enabled=True) as bar:\n"
        "    bar.advance(); bar.set(description='second'); time.sleep(0.3)\n"
    )
    assert "second" in run_on_terminal(code)[1]


def test_nested_bars_share_one_display_and_leave_none_behind():
    with progress("Outer", total=2, enabled=True) as outer:
        display = module._display
        with progress("Inner", total=1, enabled=True) as inner:
            assert module._display is display
            assert [task.description for task in display.tasks] == ["Outer", "Inner"]
            inner.advance()
        assert [task.description for task in display.tasks] == ["Outer"]
        outer.advance(2)
        outer.set(description="Last", total=3)
        time.sleep(module.REFRESH)
        outer.set()
        (task,) = display.tasks
        assert (task.description, task.total, task.completed) == ("Last", 3, 2)
    assert module._display is None
    assert module._n_visible == 0


def test_an_error_inside_removes_the_bar_and_passes_through():
    with pytest.raises(KeyError), progress("Failing", enabled=True):
        raise KeyError
    assert module._display is None


def test_a_bar_whose_run_ended_before_its_timer_fires_is_not_shown():
    with progress("Quick", enabled=False) as bar:
        pass
    bar._show()
    assert module._display is None


def test_bars_of_many_threads_count_right():
    def work(n: int) -> None:
        with progress("Part", total=n, enabled=True) as bar:
            for _ in range(n):
                bar.advance()

    workers = [threading.Thread(target=work, args=(200,)) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert module._n_visible == 0
    assert module._display is None


def test_a_bar_that_is_off_costs_almost_nothing():
    started = time.perf_counter()
    with progress("Off", enabled=False) as bar:
        for _ in range(100_000):
            bar.advance()
    assert time.perf_counter() - started < 1.0
