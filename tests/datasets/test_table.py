import io
import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.utils import Bunch

from holonomy import datasets
from holonomy.datasets import Table, as_table, read_table

FRAME = pd.DataFrame({"x": [1.0, 2.0, 3.0], "y": [4, 5, 7], "kind": ["a", "b", "a"]})


def csv(text, **options):
    return read_table(io.StringIO(text), format="csv", **options)


def save(frame, path):
    match path.suffixes:
        case [".csv"] | [".csv", ".gz"]:
            frame.to_csv(path, index=False)
        case [".tsv"] | [".tsv", ".gz"] | [".txt"]:
            frame.to_csv(path, index=False, sep="\t")
        case [".parquet"]:
            frame.to_parquet(path)
    return path


@pytest.mark.parametrize("ending", [".csv", ".csv.gz", ".tsv", ".tsv.gz", ".txt", ".parquet"])
@pytest.mark.parametrize("as_type", [str, lambda path: path])
def test_files_with_columns(tmp_path, ending, as_type):
    table = read_table(as_type(save(FRAME, tmp_path / f"points{ending}")))
    np.testing.assert_array_equal(table.X, [[1, 4], [2, 5], [3, 7]])
    assert table.X.dtype == np.float64
    assert table.X.flags.c_contiguous
    assert table.feature_names == ("x", "y")
    assert table.labels["kind"].tolist() == ["a", "b", "a"]
    assert list(table.numeric) == ["x", "y"]
    assert (table.name, table.label, table.notes) == ("points", None, ())


def test_arrays(tmp_path):
    X = np.arange(6, dtype=np.float32).reshape(3, 2)
    np.save(tmp_path / "a.npy", X)
    table = read_table(tmp_path / "a.npy")
    np.testing.assert_array_equal(table.X, X)
    assert table.X.dtype == np.float32
    assert table.feature_names == ("x0", "x1")


def test_archive_with_label(tmp_path):
    np.savez(tmp_path / "a.npz", data=np.eye(3), y=np.array([2, 0, 2]), w=np.array([0.1, np.nan, 0.3]))
    table = read_table(tmp_path / "a.npz", label="y")
    assert table.labels["y"].tolist() == ["2", "0", "2"]
    assert table.numeric["y"].tolist() == [2, 0, 2]
    assert "w" not in table.numeric
    assert any("'w'" in note for note in table.notes)


def test_record_array(tmp_path):
    np.save(tmp_path / "a.npy", np.array([(1, 2.5, "p"), (3, 4.5, "q")], dtype=[("a", int), ("b", float), ("c", "U3")]))
    table = read_table(tmp_path / "a.npy")
    assert table.X.tolist() == [[1, 2.5], [3, 4.5]]
    assert table.labels["c"].tolist() == ["p", "q"]


@pytest.mark.parametrize("mode", ["rb", "r"])
def test_open_files(tmp_path, mode):
    with open(save(FRAME, tmp_path / "points.csv"), mode) as stream:
        table = read_table(stream)
    assert table.name == "points"
    assert table.X.shape == (3, 2)


def test_open_file_without_name():
    assert csv("a,b\n1,2\n3,4\n").X.shape == (2, 2)
    with pytest.raises(ValueError, match="'the open file' has no known format"):
        read_table(io.BytesIO(b"a,b\n"))


def test_numeric_label_is_no_coordinate():
    table = csv("a,b,digit\n1,2,7\n3,5,1\n", label="digit")
    assert table.feature_names == ("a", "b")
    assert table.label == "digit"
    assert table.labels["digit"].tolist() == ["7", "1"]
    assert table.numeric["digit"].tolist() == [7, 1]


def test_large_whole_numbers_stay_apart_as_labels():
    table = csv("a,key\n1,9007199254740993\n2,9007199254740992\n", label="key")
    assert table.labels["key"].tolist() == ["9007199254740993", "9007199254740992"]


def test_label_with_gaps():
    table = csv("a,b\n1,2\n3,\n", label="b")
    assert table.labels["b"].tolist() == ["2", "(missing)"]
    assert "b" not in table.numeric


def test_chosen_columns_in_their_order():
    table = csv("a,b,c,kind\n1,2,3,x\n4,5,6,y\n", columns=["c", "a"])
    assert table.X.tolist() == [[3, 1], [6, 4]]
    assert table.feature_names == ("c", "a")
    assert list(table.numeric) == ["c", "a", "b"]


def test_columns_without_names_are_called_as_the_caller_says():
    assert as_table(np.eye(3), columns=["a", "c", "b"]).feature_names == ("a", "c", "b")
    assert as_table(np.eye(3), columns=["x2", "x0", "x1"]).X.tolist() == np.eye(3)[:, [2, 0, 1]].tolist()
    with pytest.raises(ValueError, match="no column 'a'"):
        as_table(np.eye(3), columns=["a", "b"])


def test_gaps_outside_the_chosen_columns_do_not_matter():
    assert csv("a,b,c\n1,2,\n3,4,5\n", columns=["a", "b"]).X.shape == (2, 2)


def test_identifiers_become_labels():
    table = csv(",id,a\n0,17,1\n1,12,2\n2,15,3\n")
    assert table.feature_names == ("a",)
    assert table.labels["id"].tolist() == ["17", "12", "15"]
    assert table.labels["Unnamed: 0"].tolist() == ["0", "1", "2"]
    assert len(table.notes) == 2
    assert csv("id,a\n1,1\n2,3\n", columns=["id", "a"]).feature_names == ("id", "a")


def test_booleans_are_coordinates():
    table = csv("a,b\n1,True\n2,false\n")
    assert table.X.tolist() == [[1, 1], [2, 0]]
    assert "Yes-or-no" in table.notes[0]


def test_constant_columns_stay_and_are_noted():
    table = csv("a,b\n1,2\n1,3\n")
    assert table.X.shape == (2, 2)
    assert table.notes == ("1 of 2 coordinates are constant: 'a'.",)


HOSTILE = [
    "<script>alert(1)</script>",
    "=cmd|' /C calc'!A0",
    "größe 中文 🜁",
    "a'b\"c",
    "x\ty",
    "\u202eevil",
    "{{7*7}}",
    "%s%n",
]


def test_hostile_strings_are_kept_as_they_are(tmp_path):
    frame = pd.DataFrame({name: [1.0, 2.0, 4.0] for name in HOSTILE})
    frame["text"] = HOSTILE[:3]
    for ending in (".csv", ".parquet"):
        table = read_table(save(frame, tmp_path / f"hostile{ending}"), label="text")
        assert table.feature_names == tuple(HOSTILE)
        assert table.labels["text"].tolist() == HOSTILE[:3]


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=3, max_size=3), min_size=2, max_size=8)
)
def test_text_gives_back_the_bits(rows):
    buffer = io.StringIO()
    pd.DataFrame(rows, columns=["a", "b", "c"]).to_csv(buffer, index=False)
    buffer.seek(0)
    np.testing.assert_array_equal(read_table(buffer, format="csv").X, np.array(rows, dtype=float))


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("", {}, "is empty"),
        ("a,b\n", {}, "at least two rows, got 0"),
        ("a,b\n1,2\n", {}, "at least two rows, got 1"),
        ("a,b\n1,2\n3\n", {}, "cannot be read as a table"),
        ("a,b\nx,y\nz,w\n", {}, "no column of numbers to use as coordinates; it has 'a', 'b'"),
        ("id,b\n1,y\n2,w\n", {}, "no column of numbers"),
        ("a,b\n1,2\n3,4\n", {"label": "c"}, r"no column 'c' to label with\. It has 'a', 'b'"),
        ("alpha,b\n1,2\n3,4\n", {"label": "alfa"}, "Did you mean 'alpha'"),
        ("a,b\n1,2\n3,4\n", {"columns": ["a", "z"]}, r"no column 'z'\. It has"),
        ("a,b\n1,x\n3,y\n", {"columns": ["a", "b"]}, "columns must name coordinates, but 'b' holds text"),
        ("a,b\n1,2\n3,4\n", {"columns": ["a", "b"], "label": "b"}, "but 'b' is the label"),
        ("a,b\n1,2\n3,4\n", {"columns": ["a", "a"]}, "none twice"),
        ("a,b\n1,2\n3,4\n", {"columns": []}, "at least one column"),
        ("a,a\n1,2\n3,4\n", {}, "several columns with the same name: 'a'"),
        ("a,b\n1,\n,4\n5,inf\n", {}, r"in 3 of 3 rows: 'a' 1 missing, 'b' 1 missing and 1 infinite\. Remove"),
        ("a\n1\n2\n", {"label": "a"}, "no column of numbers"),
    ],
)
def test_bad_input(text, options, message):
    with pytest.raises(ValueError, match=message):
        csv(text, **options)


def test_gaps_in_many_columns_are_cut_short():
    frame = pd.DataFrame(np.full((3, 40), np.nan), columns=[f"c{i}" for i in range(40)])
    with pytest.raises(ValueError, match=r"'c9' 3 missing and 30 more columns"):
        as_table(frame)


def test_columns_as_one_string():
    with pytest.raises(TypeError, match="columns must be a list of names, got 'ab'"):
        csv("a,b\n1,2\n3,4\n", columns="ab")


def test_paths_that_hold_no_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"There is no file .*nowhere\.csv"):
        read_table(tmp_path / "nowhere.csv")
    with pytest.raises(ValueError, match="is a folder"):
        read_table(tmp_path)
    with pytest.raises(TypeError, match="source must be a path or an open file, got int"):
        read_table(3)


def test_unsupported_ending(tmp_path):
    (tmp_path / "a.xlsx").write_bytes(b"")
    with pytest.raises(ValueError, match=r"'a\.xlsx' has no known format: the ending must be one of \.csv"):
        read_table(tmp_path / "a.xlsx")


def test_pickled_objects_are_refused(tmp_path):
    np.save(tmp_path / "a.npy", np.array([{}, None], dtype=object), allow_pickle=True)
    (tmp_path / "b.npy").write_bytes(pickle.dumps(np.eye(2)))
    for name in ("a.npy", "b.npy"):
        with pytest.raises(ValueError, match=r"Python objects|not an NPY file"):
            read_table(tmp_path / name)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.arange(3), r"must be a matrix \(rows, columns\), got shape \(3,\)"),
        (np.zeros((2, 3, 4)), r"got shape \(2, 3, 4\).*reshape"),
        (np.float64(3), "must be a matrix"),
        (np.eye(2) * 1j, "must hold numbers, got complex numbers"),
        (np.array([["a", "b"]]), "must hold numbers, got text"),
        (np.array([[1, None]], dtype=object), "must hold numbers, got Python objects"),
        (np.array([[np.nan, 1], [2, 3]]), "'x0' 1 missing"),
        (np.zeros((1, 3)), "at least two rows, got 1"),
        (np.zeros((3, 0)), "no column of numbers"),
        ([[1, 2], [3]], "must be a matrix of numbers, got rows of different length"),
        ("nonsense", "must be a matrix"),
    ],
)
def test_bad_arrays(array, message):
    with pytest.raises(ValueError, match=message):
        as_table(array)


@pytest.mark.parametrize(
    "data",
    [
        [[1, 4], [2, 5], [3, 7]],
        np.array([[1, 4], [2, 5], [3, 7]], dtype=np.uint8),
        np.array([[1, 4], [2, 5], [3, 7]], dtype=np.float16),
        torch.tensor([[1.0, 4.0], [2.0, 5.0], [3.0, 7.0]], requires_grad=True),
        sparse.csr_array([[1, 4], [2, 5], [3, 7]]),
        FRAME,
        pl.DataFrame({"x": [1.0, 2.0, 3.0], "y": [4, 5, 7], "kind": ["a", "b", "a"]}),
        Bunch(X=np.array([[1, 4], [2, 5], [3, 7]])),
        {"data": [[1, 4], [2, 5], [3, 7]]},
    ],
)
def test_everything_that_holds_points(data):
    table = as_table(data, name="mine")
    np.testing.assert_array_equal(table.X, [[1, 4], [2, 5], [3, 7]])
    assert table.X.dtype in (np.float32, np.float64)
    assert table.name == "mine"


def test_index_of_a_frame_becomes_a_label():
    table = as_table(FRAME.set_index(pd.Index(["p", "q", "r"], name="sample")))
    assert table.labels["sample"].tolist() == ["p", "q", "r"]
    assert as_table(FRAME.iloc[[2, 0]]).labels["index"].tolist() == ["2", "0"]
    assert "index" not in as_table(FRAME).labels


def test_names_that_are_no_strings():
    assert as_table(pd.DataFrame(np.eye(2), columns=[10, 20])).feature_names == ("10", "20")


def test_table_of_a_table():
    table = csv("a,b,kind\n1,2,x\n3,5,y\n", name="first")
    again = as_table(table, label="kind")
    assert (again.name, again.label, again.feature_names) == ("first", "kind", ("a", "b"))
    np.testing.assert_array_equal(again.X, table.X)
    assert as_table(again).label == "kind"
    assert as_table(table, label="b").feature_names == ("a",)


def test_classes_of_a_bunch_are_its_label():
    table = as_table(datasets.load("iris"))
    assert (table.name, table.label, table.X.shape) == ("iris", "target", (150, 4))
    assert set(table.labels["target"]) == {"setosa", "versicolor", "virginica"}
    assert table.feature_names[0] == "sepal length (cm)"
    assert as_table(datasets.load("iris"), name="other").name == "other"


def test_values_of_a_bunch_are_numbers():
    table = as_table(datasets.load("diabetes"))
    assert table.label is None
    assert table.numeric["target"].shape == (442,)
    assert as_table(datasets.load("diabetes"), label="target").labels["target"][0] == "151"


def test_classes_that_are_text_already():
    frame = FRAME[["x", "y"]]
    table = as_table(Bunch(data=frame, target=pd.Series(["p", "q", "p"], name="class"), target_names=["class"]))
    assert table.labels["target"].tolist() == ["p", "q", "p"]
    numbered = as_table(Bunch(data=np.eye(2), target=np.array([3, 5]), target_names=["class"]))
    assert numbered.labels["target"].tolist() == ["3", "5"]


def test_bunch_with_one_class_has_no_label_of_itself():
    data = Bunch(X=np.eye(2), target=np.array([1, 1]))
    assert as_table(data).label is None
    assert as_table(data, label="target").labels["target"].tolist() == ["1", "1"]


@pytest.mark.parametrize(
    ("bunch", "message"),
    [
        (Bunch(X=np.eye(2), target=np.arange(3)), r"'target' of shape \(3,\) is not one value for 2 rows"),
        (Bunch(X=np.eye(2), metadata={"a": np.eye(2)}), r"'a' of shape \(2, 2\)"),
        (Bunch(X=np.eye(2), feature_names=["a"]), "2 columns but 1 feature names"),
        (Bunch(X=np.eye(2), feature_names=["a", "a"]), "several columns with the same name: 'a'"),
    ],
)
def test_bunch_that_does_not_fit_itself(bunch, message):
    with pytest.raises(ValueError, match=message):
        as_table(bunch)


@pytest.mark.parametrize(("label", "columns"), [(3, None), (None, [0, 1]), (None, "ab")])
def test_names_must_be_strings(label, columns):
    with pytest.raises(TypeError, match=r"(label|columns) must be"):
        as_table(np.eye(3), label=label, columns=columns)


def test_metadata_of_a_bunch():
    metadata = {"city": np.array(["p", "q"]), "latitude": np.array([1.0, 2.0])}
    table = as_table(Bunch(X=np.eye(2), target=np.array([1, 0]), metadata=metadata))
    assert table.labels["city"].tolist() == ["p", "q"]
    assert table.numeric["latitude"].tolist() == [1, 2]
    assert table.labels["target"].tolist() == ["1", "0"]


def test_bunch_of_a_frame():
    table = as_table(Bunch(data=FRAME, target=np.array([0, 1, 0]), target_names=["no", "yes"]))
    assert table.feature_names == ("x", "y")
    assert table.labels["target"].tolist() == ["no", "yes", "no"]


def test_bunch_with_a_column_called_as_its_target():
    table = as_table(Bunch(X=np.eye(2), feature_names=["target", "b"], target=np.array([0.5, 1.5])))
    assert table.feature_names == ("target", "b")
    assert table.numeric["target (row)"].tolist() == [0.5, 1.5]


def test_synthetic_set():
    data = datasets.make_swiss_roll(50, random_state=0)
    table = as_table(data, name="roll")
    np.testing.assert_array_equal(table.X, data.X)
    np.testing.assert_array_equal(table.numeric["latent 1"], data.latent[:, 0])


def test_graph_without_features():
    with pytest.raises(ValueError, match="karate is a graph whose nodes have no features"):
        as_table(Bunch(name="karate", adjacency=sparse.eye_array(3)))
    with pytest.raises(ValueError, match="must have X"):
        as_table({"a": 1})


def test_inputs_are_not_written_to():
    X = np.arange(6.0).reshape(3, 2)
    X.flags.writeable = False
    before = FRAME.copy()
    as_table(X, label="x0")
    as_table(FRAME, label="kind")
    pd.testing.assert_frame_equal(FRAME, before)


def test_repr_is_short():
    assert repr(csv("a,b,kind\n1,2,x\n3,5,y\n", name="t")) == "Table('t', 2 rows, 2 coordinates, labels: 'kind')"


def test_table_is_frozen():
    with pytest.raises(AttributeError):
        Table(np.eye(2), ("a", "b")).name = "other"
