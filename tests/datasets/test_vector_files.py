import gzip
import io
import json

import numpy as np
import pytest
from scipy import sparse
from scipy.io import mmwrite

from holonomy.datasets import read_table


def market(matrix):
    stream = io.BytesIO()
    mmwrite(stream, matrix)
    return stream.getvalue()


def lines(*rows):
    return "\n".join(json.dumps(row) for row in rows).encode()


def read(content, format):
    return read_table(io.BytesIO(content), format=format)


@pytest.mark.parametrize("form", [np.asarray, sparse.coo_array, sparse.csr_matrix])
def test_matrix_market(form):
    X = np.array([[1.0, 0.0, 2.5], [0.0, -3.0, 0.0]])
    table = read(market(form(X)), "mtx")
    np.testing.assert_array_equal(table.X, X)
    np.testing.assert_array_equal(read(gzip.compress(market(form(X))), "mtx.gz").X, X)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"1 2\n3 4\n", "first line"),
        (b"%%MatrixMarket matrix array real general\n2 2\n1\n", "not a whole Matrix Market"),
    ],
)
def test_matrix_market_that_is_none(content, reason):
    with pytest.raises(ValueError, match=reason):
        read(content, "mtx")


def test_a_sparse_matrix_that_does_not_fit():
    huge = b"%%MatrixMarket matrix coordinate real general\n100000 100000 1\n1 1 1.0\n"
    with pytest.raises(ValueError, match=r"74\.5 GiB as a dense matrix"):
        read(huge, "mtx")


def test_a_vector_a_line():
    table = read(lines([1, 2.5], [3, 4]) + b"\n\n", "jsonl")
    np.testing.assert_array_equal(table.X, [[1, 2.5], [3, 4]])


def test_records_with_a_vector():
    table = read(lines({"id": "a", "embedding": [1, 2], "n": 5}, {"id": "b", "embedding": [3, 4]}), "ndjson")
    np.testing.assert_array_equal(table.X, [[1, 2], [3, 4]])
    assert list(table.labels["id"]) == ["a", "b"]


def test_flat_records():
    table = read(lines({"a": 1, "b": 2, "kind": "x"}, {"a": 3, "b": 4, "kind": "y"}), "jsonl")
    assert table.feature_names == ("a", "b")
    assert list(table.labels["kind"]) == ["x", "y"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"[1,2]\n{", "line 2, is not JSON"),
        (b"[1,2]\n[1]", "different lengths: 1 to 2"),
        (b'[1,2]\n["a",1]', "vectors of numbers"),
        (b'[1,2]\n{"a":1}', "dict, list"),
        (b'{"p":[1],"q":[2]}\n{"p":[1],"q":[2]}', "several lists"),
        (b'{"x":[1]}\n{"y":[2]}', "record 2, has no list 'x'"),
        (b"\xff\xfe", "not text"),
        (b"[1,null]\n[2,3]", "'x1' 1 missing"),
    ],
)
def test_json_that_cannot_be_used(content, reason):
    with pytest.raises(ValueError, match=reason):
        read(content, "jsonl")


def test_the_content_tells_its_format():
    X = np.array([[1.0, 2.0], [3.0, 4.0]])
    npy, npz = io.BytesIO(), io.BytesIO()
    np.save(npy, X)
    np.savez(npz, X=X)
    plain = [npy.getvalue(), npz.getvalue(), market(X), lines([1, 2], [3, 4]), b"a,b\n1,2\n3,4\n", b"1\t2\n3\t4\n"]
    for content in [*plain, gzip.compress(plain[-1])]:
        np.testing.assert_array_equal(read(content, "auto").X, X)


def test_missing_values_are_filled_in_only_on_request():
    content = b"a,b,c\n1,2,1\n3,,1\n5,4,\n7,9,1\n"
    with pytest.raises(ValueError, match=r"'b' 1 missing, 'c' 1 missing.*--impute"):
        read(content, "csv")
    table = read_table(io.BytesIO(content), format="csv", impute=True)
    assert table.X[1, 1] == 4.0
    assert any(note.startswith("Missing values filled in with the median of their column: 2 ('b' 1, 'c' 1)")
               for note in table.notes)  # fmt: skip
    with pytest.raises(ValueError, match="without any value"):
        read_table(io.BytesIO(b"[1,null]\n[2,null]"), format="jsonl", impute=True)
    with pytest.raises(ValueError, match="infinite"):
        read_table(io.BytesIO(b"a,b\n1,inf\n2,\n"), format="csv", impute=True)
