"""The membership curve against umap-learn's, its limits, and bad input."""

import numpy as np
import pytest

from holonomy.embed import fit_curve


@pytest.mark.parametrize(("spread", "min_dist"), [(1.0, 0.1), (1.0, 0.5), (1.0, 0.001), (2.0, 0.3)])
def test_curve_equals_umap_learn(spread, min_dist):
    reference = pytest.importorskip("umap.umap_").find_ab_params(spread, min_dist)
    np.testing.assert_allclose(fit_curve(spread, min_dist), reference, rtol=1e-3)


def test_larger_min_dist_packs_less():
    d = 0.3
    near = [1 / (1 + a * d ** (2 * b)) for a, b in (fit_curve(1.0, m) for m in (0.0, 0.25, 0.5))]
    assert near == sorted(near)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0.0, 0.0), "spread must be positive"),
        ((1.0, 1.5), "min_dist must not exceed spread"),
        ((1.0, -0.1), "min_dist must be at least 0"),
        ((1.0, np.nan), "min_dist must be finite"),
    ],
)
def test_bad_input_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        fit_curve(*arguments)
