from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator
from sklearn.decomposition import PCA

from holonomy.embed import UMAP
from holonomy.measure import NullCheck, map_stability
from holonomy.measure.estimate import Estimate
from holonomy.report import map_report
from holonomy.report.alerts import KINDS, find_alerts

RNG = np.random.default_rng(0)


class Chance(BaseEstimator):
    """A map that has nothing to do with the data."""

    def __init__(self, random_state=0):
        self.random_state = random_state

    def fit_transform(self, X):
        return np.random.default_rng(self.random_state).normal(size=(len(X), 2))


def kinds(report):
    return [alert.kind for alert in report.alerts]


def quick(X, method=None, **options):
    return map_report(X, method=method or PCA(2), n_neighbors=10, **options)


def roll(n):
    t = 1.5 * np.pi * (1 + 2 * np.sort(RNG.random(n)))
    frame = np.linalg.qr(RNG.normal(size=(10, 3)))[0]
    return np.c_[t * np.cos(t), 20 * RNG.random(n), t * np.sin(t)] @ frame.T


@pytest.fixture(scope="module")
def good():
    return map_report(roll(400), method=UMAP(n_neighbors=10, n_epochs=200, random_state=0), n_neighbors=10)


def test_a_good_map_of_good_data_raises_no_serious_alert(good):
    assert [alert for alert in good.alerts if alert.severity == "serious"] == []
    assert good.evidence.stability is not None
    assert good.evidence.null is not None


def test_a_map_by_chance_is_found_out():
    report = quick(RNG.normal(size=(200, 2)) @ RNG.normal(size=(2, 8)), Chance())
    assert kinds(report)[:4] == ["no_better_than_pca", "structure_in_noise", "unstable", "low_recall"]


class Scattered(BaseEstimator):
    """A map that carries every third point far off."""

    def fit_transform(self, X):
        return X[:, :2] + 100.0 * (np.arange(len(X)) % 3 == 0)[:, None]


def test_torn_neighbourhoods_are_found_out():
    assert "torn" in kinds(quick(RNG.normal(size=(200, 2)), Scattered()))
    assert "torn" not in kinds(quick(RNG.normal(size=(200, 2))))


def test_data_of_few_columns_is_not_compared_with_permuted_columns():
    assert quick(RNG.normal(size=(200, 4))).evidence.null is None


def test_noise_is_found_out():
    assert "structure_in_noise" in kinds(quick(RNG.normal(size=(300, 10))))


def test_a_map_by_pca_is_not_compared_with_itself():
    assert "no_better_than_pca" not in kinds(quick(RNG.normal(size=(200, 4))))


def test_a_column_that_dominates_is_named():
    X = pd.DataFrame(RNG.normal(size=(150, 4)), columns=["a", "b", "<i>", "d"])
    X["<i>"] *= 1000
    [alert] = [alert for alert in quick(X).alerts if alert.kind == "dominating_column"]
    assert alert.severity == "serious"
    assert "<i> holds 100 %" in alert.detail
    assert "StandardScaler" in alert.action


def test_separate_parts_and_repeated_rows():
    X = np.r_[RNG.normal(size=(60, 3)), 100 + RNG.normal(size=(60, 3))]
    report = quick(np.r_[X, X[:20]])
    assert {"disconnected", "duplicates"} <= set(kinds(report))
    assert "20 of 140 rows" in next(alert.detail for alert in report.alerts if alert.kind == "duplicates")


def test_hubs_in_many_dimensions():
    assert "hubs" in kinds(quick(RNG.normal(size=(600, 300)), checks="none"))
    assert "hubs" not in kinds(quick(RNG.normal(size=(600, 3)), checks="none"))


def test_dimensions_that_differ():
    line = np.c_[np.linspace(0, 40, 500), 0.001 * RNG.normal(size=(500, 4))]
    ball = RNG.normal(size=(500, 5))
    assert "mixed_dimension" in kinds(quick(np.r_[line, ball], checks="none"))


def test_the_gravest_come_first(good):
    null = NullCheck(Estimate(0.3, 0.2, 0.4, 100), np.array([0.3, 0.3]), Estimate(0.0, -0.1, 0.1, 100), 100)
    stability = map_stability([RNG.normal(size=(100, 2)) for _ in range(3)])
    found = find_alerts(good.profile, replace(good.evidence, null=null, stability=stability))
    assert [alert.kind for alert in found[:2]] == ["structure_in_noise", "unstable"]
    assert [alert.kind for alert in found] == sorted((alert.kind for alert in found), key=KINDS.index)


@pytest.mark.parametrize(("checks", "tried"), [("none", False), ("auto", True), ("all", True)])
def test_mapping_again_can_be_chosen(checks, tried):
    report = quick(RNG.normal(size=(120, 6)), checks=checks)
    assert (report.evidence.null is not None) == tried
    assert (report.options.get("checks", "auto")) == checks


def test_few_points_are_not_mapped_again():
    assert quick(RNG.normal(size=(30, 3))).evidence.null is None


def test_another_choice_is_refused():
    with pytest.raises(ValueError, match="checks must be"):
        quick(RNG.normal(size=(60, 3)), checks="some")


def test_alerts_are_on_the_page_and_in_the_figures():
    report = quick(RNG.normal(size=(200, 10)))
    assert report.to_dict()["alerts"][0]["kind"] == report.alerts[0].kind
    assert f'data-kind="{report.alerts[0].kind}"' in report.to_html()
