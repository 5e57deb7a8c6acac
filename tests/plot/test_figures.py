import numpy as np
import pytest

from holonomy import graphs, measure, plot

X = np.random.default_rng(0).random((300, 2))


def test_a_rank_curve_is_drawn_as_it_is():
    curve = measure.rank_curve(X, X[:, ::-1])
    ax = plot.rank_curves(curve)
    np.testing.assert_array_equal(ax.get_lines()[0].get_ydata(), curve.rescaled)
    assert ax.get_xscale() == "log"
    assert ax.get_legend().get_texts()[0].get_text() == "1.00"


def test_sampled_curves_have_bands():
    curve = measure.rank_curve(X, X[:, :1], subsample=50)
    assert len(plot.rank_curves({"some": curve}).collections) == 1


def test_a_shepard_diagram_of_a_scaled_copy_is_a_line():
    line = plot.shepard(X, 3 * X, n_pairs=5000).get_lines()[0]
    np.testing.assert_allclose(line.get_ydata(), 3 * line.get_xdata())


def test_ellipses_are_long_where_the_map_stretches():
    Z = X * [4.0, 1.0]
    metric = measure.map_metric(Z, graphs.neighbors(X, 15), dimension=2)
    ax = plot.ellipses(Z, metric, n_ellipses=60)
    drawn = ax.collections[1]
    assert len(drawn.get_offsets()) == 60
    widths, heights = (np.asarray(values) for values in (drawn.get_widths(), drawn.get_heights()))
    assert 2 < np.median(widths / heights) < 6
    np.testing.assert_allclose(np.median(widths) * np.median(heights), (0.035 * np.ptp(Z, axis=0).max()) ** 2, rtol=0.6)


def test_the_dimension_is_drawn_as_it_is():
    curve = measure.dimension_over_scale(np.random.default_rng(0).random((800, 2)))
    ax = plot.dimension({"square": curve})
    np.testing.assert_array_equal(ax.get_lines()[0].get_ydata(), curve.values)
    assert ax.get_legend().get_texts()[0].get_text() == f"square  {curve.plateau:.1f}"


def test_the_same_seed_draws_the_same():
    a, b = (plot.shepard(X, X**2, n_pairs=500, random_state=4).get_lines()[0].get_ydata() for _ in range(2))
    np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("draw", "reason"),
    [
        (lambda: plot.rank_curves({}), "at least one curve"),
        (lambda: plot.dimension({}), "at least one curve"),
        (lambda: plot.shepard(X, X[:9]), "same number of rows, got 300 and 9"),
        (lambda: plot.ellipses(X[:9], measure.map_metric(X, graphs.neighbors(X, 9))), "metric must be that of Z"),
    ],
)
def test_what_cannot_be_drawn(draw, reason):
    with pytest.raises(ValueError, match=reason):
        draw()
