import numpy as np
import pytest
from scipy import stats

from holonomy.stats import (
    IntrinsicSlices,
    collection_test,
    distribution_test,
    harmonic_mean_pvalue,
    several_collections_test,
)

CIRCLE = IntrinsicSlices("circle", 6, n_quantiles=10)


def von_mises(rng, n, shift=0.0, points=30):
    return [rng.vonmises(mean, 2.0, points) for mean in rng.normal(shift, 0.1, n)]


def test_the_statistic_is_the_scaled_distance_of_mean_embeddings():
    rng = np.random.default_rng(0)
    A, B = (CIRCLE.transform(von_mises(rng, n)) for n in (12, 7))
    found = collection_test(A, B, CIRCLE, embedded=True, random_state=0)
    gap = A.mean(axis=0) - B.mean(axis=0)
    assert np.isclose(found.statistic, 12 * 7 / 19 * gap @ gap)
    within = np.concatenate([np.square(G - G.mean(axis=0)).sum(axis=1) for G in (A, B)])
    assert np.isclose(found.effect, np.linalg.norm(gap) / np.sqrt(within.mean()))
    assert found.per_slice_pvalues.shape == (6,)


def test_permutations_match_scipy():
    rng = np.random.default_rng(1)
    A, B = (CIRCLE.transform(von_mises(rng, n, shift)) for n, shift in ((5, 0.0), (4, 0.12)))

    def statistic(a, b, axis):
        return np.square(np.mean(a, axis=axis) - np.mean(b, axis=axis))

    first, second = np.arange(5.0), np.arange(5.0, 9.0)
    rows = np.concatenate([A, B])

    def gap(a, b, axis=-1):
        return np.square(rows[a.astype(int)].mean(axis=-2) - rows[b.astype(int)].mean(axis=-2)).sum(axis=-1)

    every = stats.permutation_test((first, second), gap, vectorized=True, alternative="greater", n_resamples=np.inf)
    found = collection_test(A, B, CIRCLE, n_resamples=9999, embedded=True, random_state=0)
    assert abs(found.pvalue - every.pvalue) < 0.015
    assert statistic(np.ones(2), np.ones(2), 0) == 0.0


def test_coordinates_match_the_t_tests_of_scipy():
    rng = np.random.default_rng(2)
    A, B = (CIRCLE.transform(von_mises(rng, n, s)) for n, s in ((10, 0.0), (14, 0.05)))
    p = stats.ttest_ind(A, B, equal_var=False).pvalue
    found = collection_test(A, B, CIRCLE, "combine", combine="harmonic", embedded=True)
    assert np.isclose(found.pvalue, harmonic_mean_pvalue(p))
    assert np.isclose(found.per_slice_pvalues[2], harmonic_mean_pvalue(p.reshape(6, 10)[2]))
    paired = collection_test(A, B[:10], CIRCLE, "combine", combine="harmonic", embedded=True, paired=True)
    assert np.isclose(paired.pvalue, harmonic_mean_pvalue(stats.ttest_rel(A, B[:10]).pvalue))


@pytest.mark.parametrize("method", ["permutation", "combine"])
def test_both_tests_keep_their_level_and_find_shifts(method):
    rng = np.random.default_rng(3)
    rejected = {}
    for shift in (0.0, 0.3):
        pvalues = [
            collection_test(
                von_mises(rng, 15), von_mises(rng, 12, shift), CIRCLE, method, n_resamples=199, random_state=rng
            ).pvalue
            for _ in range(150)
        ]
        rejected[shift] = np.mean(np.array(pvalues) <= 0.05)
    assert rejected[0.0] < 0.1
    assert rejected[0.3] > 0.6


def test_pairs_are_more_telling_than_groups_where_they_vary_together():
    rng = np.random.default_rng(4)
    centers = rng.uniform(0.2, 0.7, 15)
    A, B = ([rng.uniform(c, c + 0.2, 60) + shift for c in centers] for shift in (0.0, 0.04))
    slices = IntrinsicSlices("interval", 4)
    assert collection_test(A, B, slices, paired=True, random_state=0).pvalue < 0.01
    assert collection_test(A, B, slices, "combine", paired=True).pvalue < 0.01
    assert collection_test(A, B, slices, random_state=0).pvalue > 0.1


def test_groups_of_mixtures_with_the_same_pool_are_told_apart():
    """All points of both groups together have the same law; only how they are shared out differs."""
    rng = np.random.default_rng(5)
    mixed = [np.concatenate([rng.normal(m, 0.1, 20) for m in (0.3, 0.7)]).clip(0, 1) for _ in range(20)]
    pure = [rng.normal(m, 0.1, 40).clip(0, 1) for m in np.resize([0.3, 0.7], 20)]
    slices = IntrinsicSlices("interval", 6)
    assert collection_test(mixed, pure, slices, random_state=0).pvalue < 0.01
    assert collection_test(mixed, pure, slices, "combine").pvalue < 0.01


def test_several_groups_agree_with_two_and_find_the_odd_one():
    rng = np.random.default_rng(6)
    A, B, C = (von_mises(rng, n, shift) for n, shift in ((12, 0.0), (10, 0.0), (9, 0.3)))
    two = several_collections_test([A, B], CIRCLE, 1999, random_state=0).pvalue
    assert abs(two - collection_test(A, B, CIRCLE, n_resamples=1999, random_state=0).pvalue) < 0.04
    three = several_collections_test([A, B, C], CIRCLE, random_state=0)
    assert three.pvalue < 0.01
    assert 0.0 < three.effect < 1.0
    rows = [CIRCLE.transform(G) for G in (A, B, C)]
    between = sum(len(r) * np.square(r.mean(axis=0) - np.concatenate(rows).mean(axis=0)).sum() for r in rows)
    within = sum(np.square(r - r.mean(axis=0)).sum() for r in rows)
    assert np.isclose(three.statistic, (between / 2) / (within / 28))
    assert np.isclose(three.effect**2, between / (between + within))


def test_two_single_distributions():
    rng = np.random.default_rng(7)
    same = [distribution_test(rng.vonmises(0, 2, 40), rng.vonmises(0, 2, 30), CIRCLE, 99, random_state=rng).pvalue
            for _ in range(100)]  # fmt: skip
    assert np.mean(np.array(same) <= 0.1) < 0.2
    P, Q = rng.vonmises(0, 2, 60), rng.vonmises(0.8, 2, 50)
    found = distribution_test(P, Q, CIRCLE, random_state=0)
    assert found.pvalue == 0.001
    assert np.isclose(found.effect, CIRCLE.distance(P, Q))
    graph = IntrinsicSlices(np.diag(np.ones(9), 1) + np.diag(np.ones(9), -1), 5)
    assert distribution_test(np.arange(5).repeat(4), np.arange(5, 10).repeat(4), graph, random_state=0).pvalue == 0.001


def test_the_seed_decides_and_results_print():
    rng = np.random.default_rng(8)
    A, B = von_mises(rng, 8), von_mises(rng, 8)
    first, again, other = (collection_test(A, B, CIRCLE, random_state=seed) for seed in (1, 1, 2))
    assert first.pvalue == again.pvalue
    assert first.pvalue != other.pvalue
    assert "p-value" in first._repr_html_()
    assert first.__rich__().row_count == 4


def test_constant_coordinates_are_left_out():
    A = [np.array([0.2, 0.5]), np.array([0.2, 0.6]), np.array([0.2, 0.7])]
    slices = IntrinsicSlices("interval", 1, n_quantiles=2)
    found = collection_test(A, A, slices, "combine")
    assert 0.0 <= found.pvalue <= 1.0
    with pytest.raises(ValueError, match="every coordinate"):
        collection_test([[0.5], [0.5]], [[0.5], [0.5]], slices, "combine")


def test_rounding_where_an_eigenfunction_vanishes_is_no_difference():
    """The second eigenvector of a path is 0 in the middle, up to rounding that depends on the node."""
    weights = np.zeros((6, 6))
    for a, b in [(0, 1), (1, 2), (1, 3), (1, 4), (2, 5), (3, 5), (4, 5)]:
        weights[a, b] = weights[b, a] = 1.0
    slices = IntrinsicSlices(weights, 5, n_quantiles=3)
    noise = np.random.default_rng(0).choice([-1e-16, 1e-16], size=(20, slices.n_features))
    rows = np.tile(slices.transform([np.arange(6)]), (20, 1)) + noise
    rows[:, 0] += np.random.default_rng(1).normal(size=20)
    p = collection_test(rows[:10], rows[10:], slices, "combine", embedded=True)
    assert np.isclose(p.pvalue, stats.ttest_ind(rows[:10, 0], rows[10:, 0], equal_var=False).pvalue)


def test_reference_mode_clips_p_values():
    slices = IntrinsicSlices("interval", 2, n_quantiles=3, quantiles="reference")
    rng = np.random.default_rng(9)
    A, B = ([rng.uniform(a, a + 0.1, 20) for _ in range(10)] for a in (0.1, 0.8))
    assert collection_test(A, B, slices, "combine", combine="harmonic").pvalue > 5e-6
    plain = IntrinsicSlices("interval", 2, n_quantiles=3)
    assert collection_test(A, B, plain, "combine", combine="harmonic").pvalue < 1e-8


def test_bad_arguments_are_refused():
    rng = np.random.default_rng(10)
    A, B = von_mises(rng, 4), von_mises(rng, 5)
    for arguments, options, message in [
        ((A, B, CIRCLE, "fast"), {}, "method"),
        ((A, B, CIRCLE), {"combine": "fisher"}, "combine"),
        ((A, B, CIRCLE), {"n_resamples": 0}, "n_resamples"),
        ((A, B, CIRCLE), {"paired": True}, "as many"),
        ((A[:1], B[:1], CIRCLE), {}, "distribution_test"),
        ((A[:1], B, CIRCLE, "combine"), {}, "at least 2"),
        ((A, B, IntrinsicSlices("circle", 4, order=1)), {}, "order 2"),
        ((np.zeros((3, 2)), np.zeros((3, 2)), CIRCLE), {"embedded": True}, "embeddings of shape"),
    ]:
        with pytest.raises(ValueError, match=message):
            collection_test(*arguments, **options)
    with pytest.raises(TypeError, match="slices must be"):
        collection_test(A, B, "circle")
    with pytest.raises(ValueError, match="at least two"):
        several_collections_test([A], CIRCLE)
    with pytest.raises(ValueError, match="got one each"):
        several_collections_test([A[:1], B[:1]], CIRCLE)
    with pytest.raises(ValueError, match="without weights"):
        distribution_test(([0.0, 1.0], [1.0, 2.0]), [0.0, 1.0], CIRCLE)
    with pytest.raises(ValueError, match="at least two points"):
        distribution_test([0.0], [0.0, 1.0], CIRCLE)
