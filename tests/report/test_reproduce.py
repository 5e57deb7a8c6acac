import ast
import shlex
from dataclasses import replace

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE

from holonomy.report import map_report
from holonomy.report.reproduce import call_of, command_line, estimator_call, public_path, python_lines


@pytest.fixture(scope="module")
def iris():
    return map_report("iris", method=PCA(2, whiten=True), n_neighbors=12, random_state=5)


def run(lines, folder, monkeypatch):
    monkeypatch.chdir(folder)
    names = {}
    exec(lines, names)  # noqa: S102 - the lines that the page tells people to run
    return names["report"]


def test_the_lines_of_the_page_make_the_same_report(iris, tmp_path, monkeypatch):
    lines = python_lines(iris)
    assert "import sklearn.decomposition" in lines
    again = run(lines, tmp_path, monkeypatch)
    np.testing.assert_array_equal(again.embedding, iris.embedding)
    np.testing.assert_array_equal(again.trust, iris.trust)
    assert again.label_name == iris.label_name
    assert (tmp_path / "report.html").exists()


def test_data_from_memory_is_left_to_fill_in(plain_report):
    lines = python_lines(replace(plain_report, source=None, method_call=None))
    assert "X = ...  # your 120 points in 6 dimensions" in lines
    assert "labels=..." in lines
    assert command_line(plain_report) is None


def test_the_command_survives_the_shell(plain_report):
    given = {"source": 'it\'s a "file" $(rm).csv', "label_name": "a `label`; b", "seed": 2}
    options = {
        "method": "umap", "params": {"min_dist": 0.3}, "columns": ["a b", "$c"], "image_shape": (2, 3),
        "n_neighbors": 9, "impute": True,
    }  # fmt: skip
    report = replace(plain_report, options=options, **given)
    assert shlex.split(command_line(report)) == [
        "holonomy", "map", report.source, "--method", "umap", "--params", "min_dist=0.3", "--label", report.label_name,
        "--color", "a b", "--color", "$c", "--image-shape", "2x3", "--neighbors", "9", "--impute", "--seed", "2",
        "--out", "report.html",
    ]  # fmt: skip
    call = ast.parse(python_lines(report)).body[1].value
    assert call.args[0].value == report.source
    told = {keyword.arg: ast.literal_eval(keyword.value) for keyword in call.keywords}
    assert told == {"labels": report.label_name, **options, "random_state": 2}


def test_standard_input_is_said(plain_report):
    report = replace(plain_report, source="-", method_call=None, options={"format": "csv"})
    assert command_line(report).startswith("... | holonomy map - --format csv")
    assert "X = ..." in python_lines(report)


def test_a_method_of_ones_own_has_no_command(iris):
    assert command_line(iris) is None


def test_an_estimator_is_written_with_what_was_changed():
    assert (
        estimator_call(TSNE(perplexity=12.0, init="random")) == 'sklearn.manifold.TSNE(init="random", perplexity=12.0)'
    )
    assert estimator_call(PCA()) == "sklearn.decomposition.PCA()"


def test_public_names_are_the_short_ones():
    assert public_path(PCA) == "sklearn.decomposition.PCA"
    assert public_path(int) == "builtins.int"
    hidden = type("Hidden", (), {"__module__": "no.such.module"})
    assert public_path(hidden) == "no.such.module.Hidden"


def test_long_calls_are_broken():
    assert call_of("f", {"a": "1"}) == "f(a=1)"
    assert call_of("f", {"a": "1" * 80}, "x") == "f(\n    x,\n    a=" + "1" * 80 + ",\n)"
