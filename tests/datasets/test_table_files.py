import contextlib
import gzip
import io

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from holonomy.datasets import _table_files, read_table
from holonomy.datasets._table_files import (
    Dialect,
    dense,
    format_of,
    read_npy,
    read_npz,
    read_parquet,
    read_text,
    stem,
    unzip,
)

FRAME = pd.DataFrame({"a": [1.0, 2.0], "kind": ["x", "y"]})


class Trap:
    """Its pickle would set a flag when it is loaded."""

    sprung = False

    def __reduce__(self):
        return (setattr, (Trap, "sprung", True))


def frame_of(text, default=",", **dialect):
    content = text if isinstance(text, bytes) else text.encode()
    return read_text(content, "points.csv", default, Dialect(**dialect))


@pytest.mark.parametrize(
    "text",
    [
        "a,b\n1,2.5\n3,4\n",
        "a;b\n1;2,5\n3;4\n",
        "a\tb\n1\t2.5\n3\t4\n",
        "a|b\r\n1|2.5\r\n3|4\r\n",
        "a,b\r1,2.5\r3,4",
        "\ufeffa,b\n1,2.5\n3,4\n",
        "# made by a machine\n# twice\n\na,b\n1,2.5\n3,4\n",
        'a,"b"\n"1","2.5"\n3,4\n',
        "a,b\n\n1,2.5\n\n3,4\n\n",
        " a , b\n1,2.5\n3,4\n",
        "a;b;;\n1;2,5;;\n3;4;;\n;;;\n;;;\n",
        "a\tb\t\n1\t2.5\t\n3\t4\t\n\t\t\n\t\t",
        "a,b\n1,2.5\n3,4\n ,\n,",
    ],
)
def test_ways_to_write_the_same_table(text):
    frame, _ = frame_of(text)
    assert list(frame.columns) == ["a", "b"]
    np.testing.assert_array_equal(frame.to_numpy(dtype=float), [[1, 2.5], [3, 4]])


def test_what_is_seen_is_noted():
    _, notes = frame_of("# x\na;b;\n1;2,5;\n3;4;\n;;\n")
    assert notes == [
        "Comment lines at the top, passed over: 1.",
        "Decimal commas are read as decimal points.",
        "Rows of nothing but separators at the end, left out: 1.",
        "Columns without name and content, left out: 1.",
    ]


def test_decimal_points_and_commas_in_one_file_are_not_guessed():
    frame, _ = frame_of("a;b\n1,5;2.5\n3;4\n")
    assert frame["a"].tolist() == ["1,5", "3"]
    frame, _ = frame_of("a;b\n1,5;2\n3;4\n", decimal=".")
    assert frame["a"].tolist() == ["1,5", "3"]


def test_numbers_without_header():
    frame, notes = frame_of("1,2\n3,4\n")
    assert list(frame.columns) == ["column 1", "column 2"]
    assert len(frame) == 2
    assert "taken as data" in notes[0]
    frame, _ = frame_of("1,2\n3,4\n", header=True)
    assert list(frame.columns) == ["1", "2"]
    frame, _ = frame_of("x,y\n3,4\n", header=False)
    assert len(frame) == 2


def test_header_with_some_numbers_is_pointed_out():
    frame, notes = frame_of("country,1990,1991\nTogo,1,2\nChad,3,4\n")
    assert list(frame.columns) == ["country", "1990", "1991"]
    assert "some of them are numbers" in notes[0]


def test_quoted_separators_and_line_breaks_stay_in_their_field():
    frame, _ = frame_of('name,x\n"a, b; c",1\n"two\nlines",2\n"say ""hi""",3\n')
    assert frame["name"].tolist() == ["a, b; c", "two\nlines", 'say "hi"']


def test_words_that_look_missing_stay_words():
    frame, _ = frame_of("code,x\nNA,1\nnull,2\nDE,3\n")
    assert frame["code"].tolist() == ["NA", "null", "DE"]


def test_missing_numbers():
    frame, _ = frame_of("a,b\n1,2\n,NaN\nNA,inf\n")
    np.testing.assert_array_equal(frame.to_numpy(dtype=float), [[1, 2], [np.nan, np.nan], [np.nan, np.inf]])


def test_rows_of_nothing_inside_are_missing_values():
    frame, _ = frame_of("a,b\n1,2\n,\n3,4\n")
    assert np.isnan(frame["a"][1])


def test_types_change_late_in_a_long_file(monkeypatch):
    monkeypatch.setattr(_table_files, "BLOCK", 4096)
    frame, _ = frame_of("a\n" + "1\n" * 20_000 + "2.5\n" + "x\n")
    assert len(frame) == 20_002
    assert frame["a"].iloc[-1] == "x"


def test_other_encodings():
    frame, _ = frame_of("größe,x\nö,1\n".encode("latin-1"), encoding="latin-1")
    assert list(frame.columns) == ["größe", "x"]
    frame, _ = frame_of("größe,x\nö,1\n".encode("utf-16"), encoding="utf-16")
    assert frame["größe"].tolist() == ["ö"]


def test_marks_that_only_unicode_takes_for_line_ends():
    frame, _ = frame_of("# one\u2028still one\na\u2028b,c\n1,2\n")
    assert list(frame.columns) == ["a\u2028b", "c"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "points.csv is empty"),
        (b" \n\r\n", "is empty"),
        (b"# only words\n", "is empty"),
        (b"a,b\n1,2\n3,4,5\n", "cannot be read as a table separated by ','.*Expected 2 columns, got 3"),
        (b"a,b\n1,2\n3\n", "Expected 2 columns, got 1"),
        (b"a,b\n1,\x00\n", "holds zero bytes"),
        ("ö,b\n1,2\n".encode("latin-1"), "not text in encoding 'utf-8'.*Pass encoding="),
    ],
)
def test_damaged_text(content, message):
    with pytest.raises(ValueError, match=message):
        frame_of(content)


@pytest.mark.parametrize("options", [{"sep": ", "}, {"sep": ""}, {"sep": "\n"}, {"decimal": ".."}, {"sep": 3}])
def test_marks_of_more_or_less_than_one_character(options):
    with pytest.raises(ValueError, match=r"(sep|decimal) must be one character"):
        frame_of("a,b\n1,2\n", **options)


def test_unknown_encoding():
    with pytest.raises(ValueError, match="not text in encoding 'klingon'"):
        frame_of("a\n1\n", encoding="klingon")


def test_huge_field_does_not_stop_the_guess():
    frame, _ = frame_of("a,b\n1," + "x" * 200_000 + "\n2,y\n")
    assert len(frame["b"][0]) == 200_000


def test_gzip():
    assert unzip(gzip.compress(b"a"), "x.gz") == b"a"
    for content in (b"plain", gzip.compress(b"a" * 999)[:-9]):
        with pytest.raises(ValueError, match=r"x\.gz is not a whole gzip file"):
            unzip(content, "x.gz")


def test_damaged_parquet():
    for content in (b"", b"PAR1", b"PAR1 nonsense PAR1"):
        with pytest.raises(ValueError, match=r"p\.parquet is not a whole Parquet file"):
            read_parquet(content, "p.parquet")


def npy(array, **options):
    buffer = io.BytesIO()
    np.save(buffer, array, **options)
    return buffer.getvalue()


def npz(**arrays):
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def test_npy():
    np.testing.assert_array_equal(read_npy(npy(np.eye(3)), "a.npy"), np.eye(3))


def test_objects_in_npy_are_refused_and_not_loaded():
    with pytest.raises(ValueError, match=r"a\.npy holds Python objects.*can run any code"):
        read_npy(npy(np.array([Trap(), None], dtype=object), allow_pickle=True), "a.npy")
    assert not Trap.sprung


@pytest.mark.parametrize("content", [b"", b"x,y\n1,2\n", b"\x80\x04N.", npy(np.eye(3))[:-8], npy(np.eye(3))[:20]])
def test_damaged_npy(content):
    with pytest.raises(ValueError, match=r"a\.npy is not (an|a whole) NPY file"):
        read_npy(content, "a.npy")


@pytest.mark.parametrize("key", ["X", "data", "x", "anything"])
def test_points_of_an_archive(key):
    arrays = read_npz(npz(**{key: np.eye(3)}, y=np.array([1, 2, 3]), name=np.array(["a", "b", "c"])), "a.npz")
    np.testing.assert_array_equal(arrays.X, np.eye(3))
    assert arrays.extra.keys() == {"y", "name"}


def test_named_points_win_over_other_matrices():
    arrays = read_npz(npz(X=np.eye(3), other=np.ones((3, 2))), "a.npz")
    np.testing.assert_array_equal(arrays.X, np.eye(3))
    assert "'other' of shape (3, 2) is left out" in arrays.notes[0]


def test_feature_names_of_an_archive():
    assert read_npz(npz(X=np.eye(2), feature_names=np.array(["p", "q"])), "a.npz").feature_names == ["p", "q"]
    assert read_npz(npz(X=np.eye(2), feature_names=np.array(["p"])), "a.npz").feature_names is None


def test_archive_with_several_matrices_lists_them():
    with pytest.raises(ValueError, match=r"must hold the points as 'X'.*it holds a \(3, 3\), b \(2, 2\)"):
        read_npz(npz(a=np.eye(3), b=np.eye(2)), "a.npz")


@pytest.mark.parametrize("X", [np.float64(3.0), np.arange(3), np.zeros((2, 2, 2))])
def test_archive_whose_points_are_no_matrix(X):
    with pytest.raises(ValueError, match=r"a\.npz must hold a matrix in 'X', got shape"):
        read_npz(npz(X=X, y=np.arange(3)), "a.npz")


def test_archive_without_matrix():
    with pytest.raises(ValueError, match="it holds nothing"):
        read_npz(npz(), "a.npz")


def test_objects_in_an_archive_are_not_loaded():
    trap = np.array([Trap(), None], dtype=object)
    arrays = read_npz(npz(X=np.eye(2), trap=trap), "a.npz")
    assert "would have to be unpickled: 'trap'" in arrays.notes[0]
    with pytest.raises(ValueError, match="not unpickled: 'X'"):
        read_npz(npz(X=trap), "a.npz")
    assert not Trap.sprung


def test_sparse_archive(monkeypatch):
    buffer = io.BytesIO()
    sparse.save_npz(buffer, sparse.csr_matrix(np.eye(3)))
    np.testing.assert_array_equal(read_npz(buffer.getvalue(), "a.npz").X, np.eye(3))
    monkeypatch.setattr(_table_files, "DENSE_LIMIT", 71)
    with pytest.raises(ValueError, match=r"a\.npz would take .* GiB as a dense matrix"):
        read_npz(buffer.getvalue(), "a.npz")


@pytest.mark.parametrize("content", [b"", b"no archive", npz(X=np.eye(3))[:-30], npz(X=np.eye(3))[:40]])
def test_damaged_archive(content):
    with pytest.raises(ValueError, match=r"a\.npz is not a whole NPZ file"):
        read_npz(content, "a.npz")


WHOLE = {
    "csv": b"a,b,kind\n1,2.5,x\n3,4,y\n",
    "csv.gz": gzip.compress(b"a,b\n1,2.5\n3,4\n"),
    "npy": npy(np.eye(4)),
    "npz": npz(X=np.eye(4), y=np.arange(4)),
    "parquet": FRAME.to_parquet(),
}


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(WHOLE)), st.data())
def test_damage_of_any_kind_is_a_clear_error_or_harmless(format, data):
    content = WHOLE[format]
    at = data.draw(st.integers(0, len(content) - 1))
    damaged = content[:at] + data.draw(st.binary(max_size=4)) + content[at + data.draw(st.integers(0, 9)) :]
    with contextlib.suppress(ValueError):
        assert np.isfinite(read_table(io.BytesIO(damaged), format=format).X).all()


def test_dense():
    np.testing.assert_array_equal(dense(sparse.coo_array(np.eye(2)), "X"), np.eye(2))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.csv", ("csv", False)),
        ("a.b.CSV.GZ", ("csv", True)),
        ("a.tsv", ("tsv", False)),
        ("data.v2.npy", ("npy", False)),
        ("a.parquet", ("parquet", False)),
    ],
)
def test_formats(name, expected):
    assert format_of(name, None) == expected


@pytest.mark.parametrize("name", ["a.xlsx", "a", "csv", "a.gz", "a.pkl", "a.npy.gz", ""])
def test_unknown_formats_list_the_known(name):
    with pytest.raises(ValueError, match=r"no known format.*\.csv, \.tsv.*\.h5ad.*\.csv\.gz"):
        format_of(name, None)


def test_given_format():
    assert format_of("whatever", ".CSV") == ("csv", False)
    assert format_of("whatever", "tsv.gz") == ("tsv", True)
    with pytest.raises(ValueError, match="format must be one of"):
        format_of("a.csv", "pickle")


def test_stem():
    assert [stem(name) for name in ("a.csv", "a.csv.gz", "a.b.npy")] == ["a", "a", "a.b"]
