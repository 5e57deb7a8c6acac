import base64
import gzip

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

from holonomy.report.packing import Bundle, rounded, unpack


@given(st.sampled_from(["u1", "u2", "i4", "f4", "f8"]).flatmap(lambda kind: st_numpy.arrays(kind, st.integers(0, 40))))
@settings(max_examples=60, deadline=None)
def test_columns_come_back_bit_for_bit(values):
    bundle = Bundle()
    bundle.add("first", np.arange(3, dtype=np.int32))
    bundle.add("a", values)
    found = unpack(bundle.packed({}))[1]["a"]
    assert found.dtype == values.dtype
    assert found.tobytes() == values.tobytes()


@pytest.mark.parametrize("n_bytes", [1, 2])
def test_coded_quantities_are_right_to_a_step(n_bytes):
    values = np.random.default_rng(0).normal(size=1000)
    values[7] = np.nan
    bundle = Bundle()
    bundle.add_coded("a", values, n_bytes)
    found = unpack(bundle.packed({}))[1]["a"]
    assert np.isnan(found[7])
    assert np.nanmax(np.abs(found - values)) <= 0.51 * np.ptp(values[np.isfinite(values)]) / (2 ** (8 * n_bytes) - 2)


@pytest.mark.parametrize("values", [[np.nan, np.nan], [3.0, 3.0]])
def test_coded_quantities_without_extent(values):
    bundle = Bundle()
    bundle.add_coded("a", np.array(values), 2)
    np.testing.assert_array_equal(unpack(bundle.packed({}))[1]["a"], values)


def test_rounded_numbers_keep_five_digits_and_what_is_not_finite():
    values = np.array([0.0, np.pi, -1e-30, 1e30, np.nan, np.inf, 3.4028235e38], dtype=np.float32)
    found = rounded(values)
    np.testing.assert_allclose(found[:4], values[:4], rtol=1e-5)
    assert np.isnan(found[4])
    assert found[5] == np.inf


def test_the_bundle_holds_no_markup_and_every_text():
    texts = ["</script><script>", "\u2028\ud7ff😀", '"&<>']
    packed = Bundle().packed({"texts": texts})
    assert not set("<>&\"'") & set(packed)
    assert unpack(packed)[0] == {"texts": texts}


def test_the_same_content_gives_the_same_bundle():
    assert len({Bundle().packed({"a": 1}) for _ in range(2)}) == 1
    assert gzip.decompress(base64.b64decode(Bundle().packed({})))[4:] == b'{"columns":{}}'


def test_other_kinds_of_numbers_are_refused():
    with pytest.raises(TypeError, match=r"must be of kind u1.*got i8 for 'a'"):
        Bundle().add("a", np.arange(3))
