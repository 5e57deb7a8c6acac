"""Intervals from samples."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from holonomy.measure import Estimate


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=2, max_size=60), st.integers(60, 1000))
def test_the_interval_holds_the_mean_within_bounds(values, n_population):
    estimate = Estimate.from_sample(np.array(values), n_population)
    assert 0 <= estimate.low <= estimate.value <= estimate.high <= 1
    assert float(estimate) == pytest.approx(np.mean(values))


def test_yes_and_no_give_wilsons_interval():
    """9 of 10, from a population without end: known limits."""
    estimate = Estimate.from_sample(np.r_[np.ones(9), 0], 10**9)
    assert (estimate.low, estimate.high) == (pytest.approx(0.5958, abs=2e-2), pytest.approx(0.9821, abs=2e-2))


def test_agreement_of_all_is_no_certainty():
    estimate = Estimate.from_sample(np.ones(100), 10_000)
    assert estimate.high == 1.0
    assert 0.95 < estimate.low < 0.99


def test_the_interval_closes_as_the_sample_becomes_the_population():
    values = np.random.default_rng(0).random(200)
    widths = [e.high - e.low for e in (Estimate.from_sample(values, n) for n in (100_000, 400, 220, 200))]
    assert widths == sorted(widths, reverse=True)
    assert widths[-1] == 0


@pytest.mark.parametrize("shares", [np.full(2000, 0.5), np.random.default_rng(1).beta(20, 1, 2000)])
def test_coverage(shares):
    rng = np.random.default_rng(2)
    population = (rng.random(2000) < shares).astype(float) if shares[0] == 0.5 else shares
    held = 0
    for _ in range(300):
        estimate = Estimate.from_sample(rng.choice(population, 80, replace=False), 2000)
        held += estimate.low <= population.mean() <= estimate.high
    assert 0.90 <= held / 300 <= 0.99


def test_it_shows_itself():
    estimate = Estimate(0.91234, 0.9, 0.92, 1000)
    assert str(estimate) == "0.912 (95 % interval 0.900 to 0.920, 1,000 points)"
    assert "0.9123" in estimate._repr_html_()
    console = Console(width=80, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(estimate)
    assert "0.9000 to 0.9200" in console.export_text()


def test_intervals_from_influences_hold_a_mean_as_often_as_they_say():
    rng = np.random.default_rng(0)
    population = rng.exponential(size=5000)
    held = []
    for _ in range(200):
        sample = rng.choice(population, 400, replace=False)
        found = Estimate.from_influence(sample.mean(), sample, 5000)
        held.append(found.low <= population.mean() <= found.high)
    assert np.mean(held) == pytest.approx(0.95, abs=0.04)


def test_intervals_from_influences_close_and_stay_within_bounds():
    values = np.array([0.1, 0.9, 0.9, 0.95])
    assert Estimate.from_influence(0.7, values, 4) == Estimate(0.7, 0.7, 0.7, 4)
    wide = Estimate.from_influence(0.7, values, 10**9, bounds=(0.0, 1.0))
    assert 0.0 <= wide.low < 0.7 < wide.high == 1.0
    fisher = Estimate.from_influence(0.9, 0.2 * values, 10**9, bounds=(-1.0, 1.0))
    assert -1 < fisher.low < 0.9 < fisher.high < 1
    assert np.arctanh(fisher.high) + np.arctanh(fisher.low) == pytest.approx(2 * np.arctanh(0.9))


@pytest.mark.parametrize("values", [[0.5, 1.2], [-0.1, 0.4], [0.5, np.nan]])
def test_values_that_are_no_shares_are_refused(values):
    with pytest.raises(ValueError, match=r"values must lie in \[0, 1\], got .*from_influence"):
        Estimate.from_sample(np.array(values), 10)
    assert Estimate.from_sample(np.array([1 + 1e-8, 0.0]), 10).value <= 1
