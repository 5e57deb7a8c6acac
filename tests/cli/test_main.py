import json
import os
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import PCA
from typer.testing import CliRunner

import holonomy
from holonomy import __version__
from holonomy.cli.completion import (
    FORMATS,
    METHODS,
    complete_checks,
    complete_data,
    complete_format,
    complete_method,
    complete_methods,
)
from holonomy.cli.main import app
from holonomy.datasets import _table_files
from holonomy.embed._methods import method_names
from holonomy.report.packing import unpack

PLAIN = {"TERM": "dumb", "NO_COLOR": "1"}


@pytest.fixture
def cli(tmp_path, monkeypatch):
    """Run a command in an empty folder; a defect shows its own traceback."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HOLONOMY_DEBUG", raising=False)

    def run(*words, code=0):
        result = CliRunner().invoke(app, [str(word) for word in words], env=PLAIN)
        assert result.exit_code == code, result.output
        assert "Traceback" not in result.output
        return result

    return run


@pytest.fixture
def quick(monkeypatch):
    """Map by PCA: what is tested here is not the map."""
    monkeypatch.setattr("holonomy.report.mapping._embedder", lambda *_: PCA(2))


@pytest.fixture
def points():
    rng = np.random.default_rng(0)
    return pd.DataFrame(rng.normal(size=(40, 3)), columns=list("abc")).assign(kind=["u", "v"] * 20)


# ---- map


def test_map_ends_with_the_path_and_five_lines(cli, tmp_path):
    result = cli("map", "iris")
    lines = result.stdout.splitlines()
    assert len(lines) == 6
    assert lines[0] == "report.html"
    assert lines[1] == "iris: 150 points × 4 features."
    assert "UMAP" in lines[4]
    assert os.listdir(tmp_path) == ["report.html"]
    assert "<title>iris" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_map_options_reach_the_report(cli, quick, points, tmp_path):
    points.to_csv("my data.csv", index=False)
    result = cli("map", "my data.csv", "--label", "kind", "--out", "page.html", "--seed", 7, "--neighbors", 6, "--json")
    figures = json.loads(result.stdout)
    assert (figures["report"], figures["seed"], figures["n_neighbors"]) == ("page.html", 7, 6)
    assert "Label agreement" in figures["scores"]
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "holonomy map &#39;my data.csv&#39; --label kind --neighbors 6 --seed 7 --out report.html" in page


def test_quiet_says_nothing(cli, quick, tmp_path):
    result = cli("map", "iris", "--quiet")
    assert result.output == ""
    assert (tmp_path / "report.html").exists()


@pytest.mark.parametrize("ending", ["parquet", "csv", "npy"])
def test_coordinates_are_saved_in_the_order_of_the_rows(cli, quick, points, ending, tmp_path):
    points.to_parquet("points.parquet")
    cli("map", "points.parquet", "--save", f"coords.{ending}")
    path = tmp_path / f"coords.{ending}"
    if ending == "npy":
        found = np.load(path)
        assert found.dtype == np.float32
    else:
        saved = pd.read_parquet(path) if ending == "parquet" else pd.read_csv(path)
        assert list(saved) == ["row", "x", "y", "trust", "local_dimension", "kind"]
        assert list(saved["row"]) == list(range(40))
        assert list(saved["kind"]) == ["u", "v"] * 20
        found = saved[["x", "y"]].to_numpy()
    expected = PCA(2).fit_transform(points[list("abc")].to_numpy())
    np.testing.assert_allclose(np.abs(found), np.abs(expected), atol=1e-4)
    assert sorted(os.listdir(tmp_path)) == sorted([path.name, "points.parquet", "report.html"])


def test_a_label_named_like_a_coordinate_is_kept(cli, quick, points, tmp_path):
    points.rename(columns={"kind": "x"}).to_csv("points.csv", index=False)
    cli("map", "points.csv", "--save", "coords.csv")
    assert list(pd.read_csv("coords.csv"))[-1] == "label_x"


def test_how_the_data_was_read_goes_to_standard_error(cli, quick, points):
    points.assign(same=1.0).to_csv("points.csv", index=False)
    result = cli("map", "points.csv")
    assert "note: " in result.stderr
    assert "'same'" in result.stderr
    assert len(result.stdout.splitlines()) == 6


@pytest.mark.parametrize("ending", ["tsv", "npz", "npy"])
def test_other_files(cli, quick, points, ending):
    X = points[list("abc")].to_numpy()
    path = f"points.{ending}"
    if ending == "tsv":
        points.to_csv(path, sep="\t", index=False)
    elif ending == "npz":
        np.savez(path, X=X)
    else:
        np.save(path, X)
    assert "40 points × 3 features" in cli("map", path).stdout


def test_methods_and_parameters_reach_the_map(cli):
    figures = json.loads(cli("map", "iris", "--method", "PCA", "--params", "whiten=true", "--json").stdout)
    assert (figures["method"], figures["parameters"]["whiten"]) == ("PCA", True)


def test_columns_and_images_reach_the_page(cli, quick, tmp_path):
    cli("map", "digits", "--color", "pixel_3_4", "--color", "target", "--image-shape", "8x8", "--checks", "none")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    header, _ = unpack(re.search(r'id="bundle">([^<]*)<', page)[1])
    assert header["colorings"][header["opening"]]["name"] == "pixel_3_4"
    assert header["images"]["isComplete"]
    assert "--color pixel_3_4 --color target --image-shape 8x8" in page


@pytest.mark.parametrize("content", ["a,b\n1,2\n3,4\n5,7\n9,1\n", "[1,2]\n[3,4]\n[5,7]\n[9,1]\n"])
def test_standard_input(quick, tmp_path, monkeypatch, content):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["map", "-"], input=content, env=PLAIN)
    assert result.exit_code == 0, result.output
    assert "standard input: 4 points × 2 features." in result.stdout
    assert "... | holonomy map - " in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_nothing_on_standard_input(tmp_path):
    (tmp_path / "nothing").touch()
    with open(tmp_path / "nothing") as nothing:
        assert process("profile", "-", stdin=nothing).stderr == "holonomy: standard input is empty.\n"


def test_missing_values_are_filled_in_on_request(cli, quick):
    spoil("missing.csv", "a,b\n1,2\n3,\n4,5\n6,1\n")
    assert "'b' 1 missing" in cli("map", "missing.csv", code=2).stderr
    assert "Missing values filled in with the median of their column: 1 ('b' 1)" in cli(
        "map", "missing.csv", "--impute"
    ).stderr  # fmt: skip
    assert "filled in" in cli("profile", "missing.csv", "--impute").stderr
    assert cli("profile", "missing.csv", "--impute", "--quiet").stderr == ""


def test_a_model_places_new_rows(cli, points, tmp_path):
    points.to_csv("points.csv", index=False)
    cli("map", "points.csv", "--save", "model.holonomy", "--save", "here.csv", "--params", "n_epochs=20")
    points.iloc[:7].to_csv("new.csv", index=False)
    assert "7 rows placed by UMAP" in cli("transform", "model.holonomy", "new.csv", "--out", "there.csv").stdout
    there = pd.read_csv("there.csv")
    assert list(there) == ["row", "x", "y", "kind"]
    expected = holonomy.load_model(tmp_path / "model.holonomy").transform(points[list("abc")][:7])
    np.testing.assert_allclose(there[["x", "y"]], expected, rtol=1e-5)
    cli("transform", "model.holonomy", "new.csv", "--out", "there.npy", "--quiet")
    np.testing.assert_array_equal(np.load("there.npy"), expected)
    points[["a", "b"]].to_csv("narrow.csv", index=False)
    assert "narrow has no column 'c'" in cli("transform", "model.holonomy", "narrow.csv", code=2).stderr
    spoil("broken.holonomy", b"no model")
    assert "broken.holonomy" in cli("transform", "broken.holonomy", "new.csv", code=2).stderr


def test_a_model_knows_its_columns_by_their_names(cli, points):
    points.to_csv("points.csv", index=False)
    cli("map", "points.csv", "--save", "model.holonomy", "--params", "n_epochs=20", "--checks", "none")
    points.iloc[:7].to_csv("new.csv", index=False)
    cli("transform", "model.holonomy", "new.csv", "--out", "there.npy")
    # In another order, among other columns that may have gaps.
    points.iloc[:7][["c", "kind", "a", "b"]].assign(more=np.nan).to_csv("other.csv", index=False)
    cli("transform", "model.holonomy", "other.csv", "--out", "other.npy")
    np.testing.assert_array_equal(np.load("other.npy"), np.load("there.npy"))
    # Without any names, the order is that of the model.
    np.save("plain_rows.npy", points[list("abc")].to_numpy()[:7])
    cli("transform", "model.holonomy", "plain_rows.npy", "--out", "plain.npy")
    np.testing.assert_array_equal(np.load("plain.npy"), np.load("there.npy"))
    np.save("wide.npy", np.ones((4, 5)))
    assert "wide has no column 'a'" in cli("transform", "model.holonomy", "wide.npy", code=2).stderr


def test_a_model_of_columns_without_names_goes_by_their_order(cli, points):
    np.save("points.npy", points[list("abc")].to_numpy())
    cli("map", "points.npy", "--save", "model.holonomy", "--params", "n_epochs=20", "--checks", "none")
    points.iloc[:7].to_csv("new.csv", index=False)
    assert "7 rows placed" in cli("transform", "model.holonomy", "new.csv").stdout
    np.save("wide.npy", np.ones((4, 5)))
    assert "5 features" in cli("transform", "model.holonomy", "wide.npy", code=2).stderr


def test_a_model_that_cannot_be_saved_says_so_before_anything_is_written(cli, tmp_path):
    words = ("map", "iris", "--method", "pca", "--save", "model.holonomy")
    assert "a pca model cannot be saved" in cli(*words, code=2).stderr
    assert os.listdir(tmp_path) == []


def test_maps_are_compared(cli, tmp_path):
    result = cli("compare", "iris", "--methods", "pca, umap", "--neighbors", 10)
    assert result.stdout.startswith("compare.html\n")
    assert "trustworthiness" in result.stdout
    assert "<title>iris · Maps compared" in (tmp_path / "compare.html").read_text(encoding="utf-8")
    assert list(json.loads(cli("compare", "iris", "--methods", "pca", "--json").stdout)["maps"]) == ["pca"]
    assert cli("compare", "iris", "--methods", "pca", "--quiet").stdout == ""


def test_the_shell_is_offered_files_data_sets_and_methods(cli):
    spoil("iris2.csv", "a,b\n1,2\n")
    assert list(complete_data("ir")) == ["iris2.csv", "iris"]
    assert list(complete_method("um")) == ["umap"]
    assert method_names() == METHODS
    assert FORMATS == _table_files.FORMATS
    assert list(complete_methods("umap,ph")) == ["umap,phate"]
    assert list(complete_methods("pca,pc")) == []
    assert list(complete_checks("a")) == ["auto", "all"]
    assert list(complete_format("js")) == ["jsonl"]


@pytest.mark.parametrize(("words", "offered"), [("compare iris --methods um", "umap"), ("map karat", "karate")])
def test_a_real_shell_is_offered_what_can_follow_at_once(words, offered, tmp_path):
    asked = {"COMP_WORDS": f"holonomy {words}", "COMP_CWORD": str(len(words.split()))}
    code = (
        "import sys; sys.argv[0] = 'holonomy'\n"
        "from holonomy.cli.main import run\n"
        "try:\n run()\nfinally:\n print(*sys.modules, file=sys.stderr)"
    )
    environment = os.environ | asked | {"_HOLONOMY_COMPLETE": "complete_bash"}
    command = [sys.executable, "-c", code]
    shown = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert shown.stdout.split() == [offered]
    assert not {"numpy", "sklearn", "torch", "pandas"} & set(shown.stderr.split())


# ---- profile, methods, datasets, version


def test_profile_speaks_in_sentences(cli):
    result = cli("profile", "iris")
    assert "150 points with 4 features" in result.stdout
    assert "Map it with" in result.stdout
    assert json.loads(cli("profile", "iris", "--json", "--neighbors", "9").stdout)["name"] == "iris"


def test_profile_calls_columns_by_their_names(cli, points):
    points.assign(same=1.0).to_csv("points.csv", index=False)
    assert "carries no information: same" in cli("profile", "points.csv").stdout.replace("carry", "carries")


def test_profile_of_equal_rows(cli):
    pd.DataFrame({"a": [1.0] * 6, "b": [2.0] * 6}).to_csv("equal.csv", index=False)
    assert "All 6 rows are equal" in cli("profile", "equal.csv").stdout


def test_methods(cli):
    assert "holonomy.embed.UMAP" in cli("methods", "007").stdout
    assert "119 systems" in cli("methods").stdout
    assert json.loads(cli("methods", "umap", "--json").stdout)[0]["number"] == 7
    assert "no system matches 'xyzzy'" in cli("methods", "xyzzy", code=1).stderr


def test_datasets(cli):
    listing = cli("datasets").stdout
    assert "iris " in listing
    assert "karate " in listing
    assert json.loads(cli("datasets", "--json").stdout)["digits"]


def test_version_and_help(cli):
    assert cli("--version").stdout == f"holonomy {__version__}\n"
    assert "map" in cli("--help").stdout
    assert "DATA" in cli("map", "--help").stdout


# ---- what cannot be used


def spoil(name, content):
    if isinstance(content, bytes):
        with open(name, "wb") as file:
            file.write(content)
    else:
        with open(name, "w", encoding="utf-8") as file:
            file.write(content)


FILES = {
    "missing.csv": ("a,b\n1,2\n3,\n4,5\n", "'b' 1 missing"),
    "infinite.csv": ("a,b\n1,2\n3,inf\n4,5\n", "'b' 1 infinite"),
    "one.csv": ("a,b\n1,2\n", "at least two rows"),
    "strings.csv": ("a,b\nx,y\nz,w\n", "no column of numbers"),
    "ragged.csv": ("a,b,c\n1,2,3\n4,5\n", "Expected 3 columns, got 2"),
    "empty.csv": ("", "empty"),
    "header.csv": ("a,b\n", "header"),
    "binary.csv": (b"\x00\x01\x02", "not text"),
    "broken.parquet": (b"PAR1 and no more", "not a whole Parquet file"),
    "broken.npy": (b"\x93NUMPY?", "not a whole NPY file"),
    "broken.npz": (b"PK\x03\x04", "not a whole NPZ file"),
    "points.docx": (b"x", "no known format"),
}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("command", ["map", "profile"])
def test_files_that_cannot_be_used_are_refused_with_a_reason(cli, quick, command, name, tmp_path):
    content, reason = FILES[name]
    spoil(name, content)
    result = cli(command, name, code=2)
    assert reason in result.stderr
    assert result.stderr.startswith("holonomy: ")
    assert len(result.stderr.splitlines()) == 1
    assert result.stdout == ""
    assert os.listdir(tmp_path) == [name]


@pytest.mark.parametrize(
    ("content", "reason"),
    [("a,b\n1,2\n3,4\n", "minimum of 3"), ("a,b\n" + "1,2\n" * 9, "all 9 rows of 'few' are equal")],
)
def test_what_can_be_described_but_not_mapped(cli, quick, content, reason, tmp_path):
    spoil("few.csv", content)
    cli("profile", "few.csv")
    assert reason in cli("map", "few.csv", code=2).stderr
    assert os.listdir(tmp_path) == ["few.csv"]


def test_a_missing_package_is_named_with_what_installs_it(cli, monkeypatch):
    spoil("cells.h5ad", b"x")
    monkeypatch.setitem(sys.modules, "anndata", None)
    assert "pip install 'holonomy[bio]'" in cli("map", "cells.h5ad", code=1).stderr


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["map", "nowhere.csv"], "No such file, nor a data set of this name: nowhere.csv"),
        (["map", "."], "This is a folder, where a file is needed: ."),
        (["map", "digit"], "'digits'"),
        (["map", "iris", "--label", "colour"], "no column 'colour'"),
        (["map", "iris", "--neighbors", "150"], "--neighbors must be less than the number of points, got 150"),
        (["map", "iris", "--neighbors", "0"], "--neighbors"),
        (["map", "iris", "--neighbors", "1"], "--neighbors"),
        (["map", "iris", "--seed", "-1"], "--seed"),
        (["map", "iris", "--seed", "x"], "--seed"),
        (["map", "iris", "--out", "no/such/folder.html"], "no such folder"),
        (["map", "iris", "--out", "."], "folder"),
        (["map", "iris", "--save", "coords.doc"], "--save must end in .parquet, .csv, .npy or .holonomy"),
        (["map", "iris", "--params", "min_dist"], "--params must be NAME=VALUE"),
        (["map", "iris", "--params", "a=1", "--params", "a=2"], "--params: 'a' is given twice"),
        (["map", "iris", "--color", "colour"], "--color must name columns of the table"),
        (["map", "iris", "--image-shape", "two"], "--image-shape must be HEIGHTxWIDTH"),
        (["map", "iris", "--image-shape", "3x5"], "--image-shape must fill a row: 3 × 5 = 15"),
        (["map", "iris", "--checks", "some"], "--checks must be"),
        (["map", "-", "--format", "xls"], "--format must be one of"),
        (["compare", "iris", "--methods", "umap,pcaa"], "--methods: there is none called 'pcaa'; did you mean pca"),
        (["compare", "iris", "--methods", "umap,umap"], "two called 'umap'"),
        (["compare", "iris", "--methods", ","], "at least one method"),
        (["compare", "iris", "--out", "no/such.html"], "no such folder"),
        (["transform", "nowhere.holonomy", "iris"], "nowhere.holonomy"),
        (["transform", "nowhere.holonomy", "iris", "--out", "x.html"], "--out must end in .parquet, .csv or .npy"),
        (["map", "iris", "--save", "no/such/coords.csv"], "no such folder"),
        (["map", "iris", "--colour", "x"], "--colour"),
        (["map"], "DATA"),
        (["profile", "iris", "--label", "colour"], "no column 'colour'"),
        (["frobnicate"], "frobnicate"),
    ],
)
def test_options_that_cannot_be_used_are_refused_with_a_reason(cli, quick, words, reason, tmp_path):
    result = cli(*words, code=2)
    assert reason in result.stderr
    assert result.stdout == ""
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--method", "umpa"], "--method: there is none called 'umpa'; did you mean umap"),
        (["--params", "min_dst=1"], "--params: UMAP has no parameter 'min_dst'; did you mean min_dist"),
    ],
)
def test_methods_and_parameters_that_are_not_known(cli, words, reason, tmp_path):
    assert reason in cli("map", "iris", *words, code=2).stderr
    assert os.listdir(tmp_path) == []


def test_pickles_are_never_loaded(cli, quick):
    np.save("objects.npy", np.array([{}, []], dtype=object), allow_pickle=True)
    assert "pickle can run any code" in cli("map", "objects.npy", code=2).stderr


# ---- what goes wrong


def fail_with(monkeypatch, error):
    def failing(*args, **kwargs):
        raise error

    monkeypatch.setattr("holonomy.report.mapping.neighbors", failing)


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (ImportError("the package 'anndata' is needed: pip install 'holonomy[bio]'"), 1, "pip install 'holonomy[bio]'"),
        (ConnectionError("no network"), 1, "no network"),
        (OSError(28, "No space left on device", "x"), 1, "No space left"),
        (MemoryError(), 1, "not enough memory"),
        (ZeroDivisionError("oh"), 1, "this is a defect of holonomy (ZeroDivisionError: oh)"),
        (PermissionError(13, "Permission denied", "secret.csv"), 2, "Permission denied: secret.csv"),
        (ValueError("several\nlines"), 2, "several lines"),
    ],
)
def test_failures_are_one_line_and_leave_nothing(cli, quick, monkeypatch, tmp_path, error, code, message):
    fail_with(monkeypatch, error)
    result = cli("map", "iris", code=code)
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert os.listdir(tmp_path) == []


def test_debugging_shows_the_traceback(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    fail_with(monkeypatch, ZeroDivisionError("oh"))
    result = CliRunner().invoke(app, ["map", "iris"], env={"HOLONOMY_DEBUG": "1"})
    assert isinstance(result.exception, ZeroDivisionError)


def test_ctrl_c_leaves_nothing_half_written(cli, quick, monkeypatch, tmp_path):
    (tmp_path / "report.html").write_text("old")

    def interrupted(report):
        raise KeyboardInterrupt

    monkeypatch.setattr("holonomy.report.result.MapReport.to_html", interrupted)
    assert "stopped" in cli("map", "iris", code=130).stderr
    assert (tmp_path / "report.html").read_text() == "old"
    assert os.listdir(tmp_path) == ["report.html"]


def test_a_warning_is_one_line(cli, quick, monkeypatch):
    import warnings

    from holonomy.report import mapping

    real = mapping.neighbors

    def warning(*args, **kwargs):
        for _ in range(3):
            warnings.warn("take\ncare", UserWarning, stacklevel=2)
        warnings.warn("not for users", DeprecationWarning, stacklevel=2)
        return real(*args, **kwargs)

    monkeypatch.setattr(mapping, "neighbors", warning)
    assert cli("map", "iris").stderr == "holonomy: note: take care\n"


# ---- whole processes


def process(*words, **options):
    command = [sys.executable, "-c", "from holonomy.cli.main import run; run()", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, **options)


def test_help_imports_nothing_heavy():
    code = (
        "import sys; from holonomy.cli.main import run\ntry:\n run()\nfinally:\n print(*sys.modules, file=sys.stderr)"
    )
    command = [sys.executable, "-c", code, "--help"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    loaded = set(result.stderr.split())
    assert not {"numpy", "sklearn", "torch", "pandas", "matplotlib", "numba", "rich"} & loaded


def test_help_is_instant():
    seconds = []
    for _ in range(3):
        started = time.perf_counter()
        assert process("--help").returncode == 0
        seconds.append(time.perf_counter() - started)
    assert min(seconds) < 0.6


def test_a_bad_file_in_a_real_process(tmp_path):
    (tmp_path / "bad.csv").write_text("a,b\n1,2\n3,\n4,5\n")
    result = process("map", "bad.csv", cwd=tmp_path)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("holonomy: bad has values that are missing")
    assert "Traceback" not in result.stderr


def test_a_closed_pipe_is_no_error():
    command = f"{sys.executable} -c 'from holonomy.cli.main import run; run()' methods | head -n 1"
    result = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=60)  # noqa: S602
    assert "Traceback" not in result.stderr


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_ctrl_c_in_a_real_process(tmp_path):
    code = (
        "import time\n"
        "import holonomy.report.mapping as mapping\n"
        "def wait(*args, **kwargs):\n"
        "    print('waiting', flush=True)\n"
        "    time.sleep(60)\n"
        "mapping.neighbors = wait\n"
        "from holonomy.cli.main import run\n"
        "run()\n"
    )
    command = [sys.executable, "-c", code, "map", "iris"]
    running = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert running.stdout.readline() == "waiting\n"
    running.send_signal(signal.SIGINT)
    _, errors = running.communicate(timeout=30)
    assert running.returncode == 130
    assert errors == "holonomy: stopped; nothing was left half-written.\n"
    assert os.listdir(tmp_path) == []
