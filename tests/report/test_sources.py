import numpy as np
import pytest

from holonomy.report.sources import frame_of, table_of


def test_a_file_goes_before_a_data_set(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "iris").mkdir()
    table, source = table_of("iris")
    assert (len(table.X), source) == (150, "iris")
    (tmp_path / "iris").rmdir()
    (tmp_path / "digits").write_text("a,b\n1,2\n3,4\n")
    with pytest.raises(ValueError, match="digits"):
        table_of("digits")


def test_what_is_in_memory_has_no_source():
    table, source = table_of(np.eye(3), name="unit")
    assert (table.name, source) == ("unit", None)
    assert list(frame_of(table).columns) == list(table.feature_names)
    np.testing.assert_array_equal(frame_of(table), np.eye(3))


@pytest.mark.parametrize("path", ["nowhere.csv", "a/b", "./digits"])
def test_a_path_that_is_not_there(path):
    with pytest.raises(FileNotFoundError, match="nor a data set"):
        table_of(path)


def test_a_name_that_is_not_known_gets_a_hint():
    with pytest.raises(ValueError, match="digits"):
        table_of("digit")
