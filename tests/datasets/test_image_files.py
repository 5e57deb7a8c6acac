import gzip
import struct

import numpy as np
import pytest

from holonomy.datasets._image_files import read_idx


def idx(array, code=0x08):
    header = b"\0\0" + bytes([code, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + array.astype(np.uint8).tobytes()


def test_round_trip(tmp_path):
    images = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    (tmp_path / "a.gz").write_bytes(gzip.compress(idx(images)))
    np.testing.assert_array_equal(read_idx(tmp_path / "a.gz"), images)


GOOD = idx(np.zeros((2, 3)))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"not gzip", "not a whole gzip file"),
        (gzip.compress(GOOD)[:-10], "not a whole gzip file"),
        (gzip.compress(b""), "not an IDX file"),
        (gzip.compress(b"hello world"), "not an IDX file"),
        (gzip.compress(idx(np.zeros(3), code=0x0D)), "not an IDX file of bytes"),
        (gzip.compress(GOOD[:9]), "ends within its header"),
        (gzip.compress(GOOD[:-1]), r"states shape \(2, 3\) but holds 5 bytes"),
        (gzip.compress(GOOD + b"\0"), r"states shape \(2, 3\) but holds 7 bytes"),
    ],
    ids=["not gzip", "cut gzip", "empty", "text", "floats", "cut header", "too short", "too long"],
)
def test_damaged(tmp_path, content, message):
    (tmp_path / "a.gz").write_bytes(content)
    with pytest.raises(ValueError, match=message):
        read_idx(tmp_path / "a.gz")
