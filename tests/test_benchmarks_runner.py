import json
import sys

import pytest

from benchmarks import record, runner, table
from benchmarks.__main__ import main
from benchmarks.child import main as child
from benchmarks.harness import load_benchmark

BENCHMARK_FILE = '''
"""A benchmark file as they all look."""

import os
import time

import numpy as np

from benchmarks.harness import Benchmark, Contender


def prepare():
    np.save("data.npy", np.arange(5.0))


def load():
    return np.load("data.npy")


def quick(data):
    print("a line that is not the result")
    return data + 1


def slow_and_large(data):
    block = np.ones(2**24)
    time.sleep(0.3)
    assert os.environ["NUMBA_CACHE_DIR"].endswith("theirs")
    return data + block[0]


def judge(result):
    return {"mean": result.mean(), "first": result[0]}


BENCHMARK = Benchmark(
    title="Adding one to five numbers",
    contenders=(Contender("ours", "holonomy", quick), Contender("theirs", "numpy", slow_and_large)),
    prepare=prepare,
    load=load,
    judge=judge,
)
'''


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Give the runner a folder of its own with one benchmark file."""
    folder = tmp_path / "benchmarks"
    folder.mkdir()
    (folder / "adding.py").write_text(BENCHMARK_FILE)
    (folder / "helper.py").write_text('"""Not a benchmark."""\n')
    monkeypatch.setattr(runner, "RESULTS", folder / "results")
    monkeypatch.setattr(table, "PAGE", tmp_path / "docs" / "benchmarks.md")
    return tmp_path


@pytest.fixture
def result(project):
    """Return a result as a run would keep it, without running."""
    numbers = {"cold_s": 3.0, "wall_s": [1.0, 1.2, 1.1], "cpu_s": [2.0] * 3, "peak_mib": [100.0] * 3, "call_s": [0.5]}
    theirs = {key: [2 * value for value in numbers[key]] if key != "cold_s" else 6.0 for key in numbers}
    quality = {"quality": {"mean": [0.51, 0.52, 0.53]}}
    content = {
        "name": "adding",
        "title": "Adding one to five numbers",
        "repeats": 3,
        "machine": record.machine(["holonomy", "numpy"]),
        "contenders": [
            {"name": "ours", "package": "holonomy", **numbers, **quality},
            {"name": "theirs", "package": "numpy", **theirs, **quality},
        ],
    }
    record.write_json(project / "benchmarks/results/adding.json", content)
    return content


def problems(project):
    return table.problems(project / "benchmarks/results", project / "docs/benchmarks.md", project / "benchmarks")


@pytest.mark.slow
def test_a_run_measures_whole_processes_in_turn(project, capsys, monkeypatch):
    monkeypatch.setattr(runner, "FOLDER", project / "benchmarks")
    assert main(["run", "adding", "--repeats", "2"]) == 0
    kept = json.loads((project / "benchmarks/results/adding.json").read_text())
    ours, theirs = kept["contenders"]
    assert (kept["title"], kept["repeats"]) == ("Adding one to five numbers", 2)
    assert {"cpu", "cores", "memory_gib", "python", "versions"} <= set(kept["machine"])
    for one in (ours, theirs):
        assert len(one["wall_s"]) == len(one["cpu_s"]) == len(one["peak_mib"]) == len(one["call_s"]) == 2
        assert one["quality"] == {"mean": [3.0, 3.0], "first": [1.0, 1.0]}
    assert min(theirs["wall_s"]) > 0.3 + min(ours["wall_s"]) / 2
    assert min(theirs["call_s"]) >= 0.3 > max(ours["call_s"])
    assert 100 < min(theirs["peak_mib"]) - max(ours["peak_mib"]) < 200
    shown = capsys.readouterr().out
    turns = [line.split(":")[0] for line in shown.splitlines() if " s" in line and ", " in line]
    assert turns == ["ours, cold", "theirs, cold", *["ours, warm", "theirs, warm"] * 2]


def test_the_peak_is_the_processs_own_and_not_its_parents(tmp_path):
    ballast = bytearray(300 * 2**20)
    ballast[::4096] = b"1" * len(ballast[::4096])
    program = "import json; from benchmarks.child import _peak_mib; print(json.dumps({'peak': _peak_mib()}))"
    environment = {"PYTHONPATH": str(runner.ROOT)}
    usage = runner.run_process([sys.executable, "-c", program], cwd=tmp_path, environment=environment, timeout_s=60)
    assert 5 < usage.found["peak"] < 200
    assert len(ballast) == 300 * 2**20


def test_a_process_that_fails_is_an_error_with_its_last_words(tmp_path):
    with pytest.raises(RuntimeError, match=r"exited with 3.\nlast words"):
        runner.run_process(
            [sys.executable, "-c", "import sys; print('last words', file=sys.stderr); sys.exit(3)"],
            cwd=tmp_path,
            environment={},
            timeout_s=60,
        )


def test_a_process_that_takes_too_long_is_stopped(tmp_path):
    with pytest.raises(RuntimeError, match=r"took longer than 0.2 s"):
        runner.run_process(
            [sys.executable, "-c", "import time; time.sleep(30)"], cwd=tmp_path, environment={}, timeout_s=0.2
        )


def test_each_step_in_a_process_prints_json_last(project, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    path = str(project / "benchmarks/adding.py")
    found = {}
    for step in (["prepare"], ["process", "ours"], ["judge"], ["calls", "ours", "3"]):
        child([path, *step])
        found[step[0]] = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert found["prepare"] == {}
    assert found["process"]["peak_mib"] > 10
    assert found["judge"] == {"mean": 3.0, "first": 1.0}
    assert len(found["calls"]["call_s"]) == 3


def test_only_files_with_a_benchmark_are_benchmarks(project):
    assert list(runner.benchmark_files(project / "benchmarks")) == ["adding"]
    assert "umap_mnist10k" in runner.benchmark_files()


def test_a_file_without_benchmark_or_with_two_contenders_of_a_name_is_refused(project):
    with pytest.raises(ValueError, match="defines no BENCHMARK"):
        load_benchmark(project / "benchmarks/helper.py")
    path = project / "benchmarks/adding.py"
    path.write_text(BENCHMARK_FILE.replace('"theirs"', '"ours"'))
    with pytest.raises(ValueError, match="two contenders the same"):
        load_benchmark(path)


def test_every_benchmark_of_the_project_loads():
    for path in runner.benchmark_files().values():
        assert load_benchmark(path).contenders[0].package == "holonomy"


def test_rows_are_medians_and_multiples_of_ours(result):
    ours, theirs = table.rows(result)
    assert ours[2:] == ("1.1", "3", "0.5", "2", "100", "0.52")
    assert theirs[2:] == ("2.2 (2×)", "6 (2×)", "1 (2×)", "4", "200", "0.52")
    assert ours[:2] == ("ours", result["machine"]["versions"]["holonomy"])


def test_a_result_without_calls_leaves_their_column_open(result):
    for contender in result["contenders"]:
        del contender["call_s"]
    assert [row[4] for row in table.rows(result)] == ["–", "–"]


def test_the_page_is_written_from_results_and_checked(project, result, monkeypatch, capsys):
    monkeypatch.setattr(runner, "FOLDER", project / "benchmarks")
    assert main(["table", "--check"]) == 1
    assert main(["table", "--write"]) == 0
    assert main(["table", "--check"]) == 0
    assert problems(project) == []
    text = (project / "docs/benchmarks.md").read_text()
    assert "## Adding one to five numbers" in text
    assert "| theirs |" in text
    assert main(["table"]) == 0
    assert main(["list"]) == 0
    shown = capsys.readouterr().out
    assert text in shown
    assert "adding  Adding one to five numbers" in shown


def test_whatever_falls_out_of_step_is_found(project, result):
    table.write(project / "benchmarks/results", project / "docs/benchmarks.md")
    result["repeats"] = 4
    record.write_json(project / "benchmarks/results/adding.json", result)
    assert problems(project) == ["docs/benchmarks.md is out of step: run `python -m benchmarks table --write`."]
    table.write(project / "benchmarks/results", project / "docs/benchmarks.md")
    (project / "benchmarks/adding.py").write_text(BENCHMARK_FILE.replace('"theirs"', '"others"'))
    assert problems(project) == ["adding.py has other contenders than its result; run it again."]
    (project / "benchmarks/adding.py").rename(project / "benchmarks/summing.py")
    assert problems(project) == [
        "summing.py has no result: run `python -m benchmarks run summing`.",
        "adding.json belongs to no benchmark.",
    ]


def test_unknown_names_and_repeats_are_refused(capsys):
    assert main(["run", "nothing"]) == 2
    assert "There is no benchmark nothing" in capsys.readouterr().out
    assert main(["run", "umap_mnist10k", "--repeats", "0"]) == 2


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "–"), (0, "0"), (12.345678, "12.35"), (0.95, "0.95"), (1234.5, "1234"), (42, "42"), (1e-7, "1e-07")],
)
def test_numbers_are_short(value, text):
    assert record.short(value) == text


def test_rounding_keeps_structure_and_drops_what_is_not_finite():
    value = {"a": [1.23456789, float("nan"), 7], "b": {"c": float("inf")}, "d": "text", "e": None, "f": True}
    rounded = {"a": [1.23, None, 7], "b": {"c": None}, "d": "text", "e": None, "f": True}
    assert record.rounded(value, 3) == rounded


def test_cells_cannot_break_a_markdown_table():
    assert record.markdown_table(["a"], [["x | y\nz"]]) == "| a |\n| --- |\n| x \\| y z |"


def test_the_machine_is_described_without_its_name():
    import platform

    described = record.machine(["numpy"])
    assert described["cores"] >= 1
    assert list(described["versions"]) == ["numpy"]
    assert platform.node() not in json.dumps(described) or not platform.node()
