import io
import sys

import numpy as np
import pytest

from holonomy.report.sources import frame_of, read_source


def test_a_file_goes_before_a_data_set(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "iris").mkdir()
    source = read_source("iris")
    assert (len(source.table.X), source.name) == (150, "iris")
    (tmp_path / "iris").rmdir()
    (tmp_path / "digits").write_text("a,b\n1,2\n3,4\n")
    with pytest.raises(ValueError, match="digits"):
        read_source("digits")


def test_what_is_in_memory_has_no_source():
    source = read_source(np.eye(3), name="unit")
    table = source.table
    assert (table.name, source.name, source.image_shape) == ("unit", None, None)
    assert list(frame_of(table).columns) == list(table.feature_names)
    np.testing.assert_array_equal(frame_of(table), np.eye(3))


@pytest.mark.parametrize("path", ["nowhere.csv", "a/b", "./digits"])
def test_a_path_that_is_not_there(path):
    with pytest.raises(FileNotFoundError, match="nor a data set"):
        read_source(path)


def test_a_name_that_is_not_known_gets_a_hint():
    with pytest.raises(ValueError, match="digits"):
        read_source("digit")


def test_a_data_set_of_images_says_so():
    assert read_source("digits").image_shape == (8, 8)
    assert read_source("iris").image_shape is None


@pytest.mark.parametrize("content", [b"a,b\n1,2\n3,4\n", b"[1,2]\n[3,4]\n"])
def test_standard_input(monkeypatch, content):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    source = read_source("-")
    assert (source.name, source.table.name) == ("-", "standard input")
    np.testing.assert_array_equal(source.table.X, [[1, 2], [3, 4]])


def test_the_format_can_be_told(tmp_path):
    (tmp_path / "points.dat").write_text("a,b\n1,2\n3,4\n")
    with pytest.raises(ValueError, match="no known format"):
        read_source(tmp_path / "points.dat")
    assert read_source(tmp_path / "points.dat", format="csv").table.X.shape == (2, 2)
