from dataclasses import replace

import numpy as np
import pytest
from sklearn.decomposition import PCA

from holonomy.measure import Estimate
from holonomy.report import map_report, summary
from holonomy.report.quality import RECALL, TRUST


def with_scores(report, **values):
    changed = tuple(
        replace(score, map=Estimate(*values[score.name], 100)) if score.name in values else score
        for score in report.scores
    )
    return replace(report, evidence=replace(report.evidence, scores=changed))


def test_five_plain_lines(plain_report):
    lines = plain_report.summary().split("\n")
    assert len(lines) == 5
    assert lines[0] == "groups: 120 points × 6 features."
    assert lines[1].startswith("Intrinsic dimension: about ")
    assert "connected" in lines[2] or "parts" in lines[2]
    assert "trustworthiness 0." in lines[3]
    assert "(PCA 0." in lines[3]
    assert lines[4].startswith(("Do not believe", "No point"))


def test_hostile_names_cannot_add_lines(hostile_report):
    assert len(hostile_report.summary().splitlines()) == 5


@pytest.mark.parametrize(
    ("doubtful", "expected"),
    [
        (0, "No point has a trust below 0.9."),
        (1, "1 point has a trust below 0.9 (0.8 %)."),
        (60, "60 points have a trust below 0.9 (50 %)."),
    ],
)
def test_doubtful_points_are_counted(plain_report, doubtful, expected):
    trust = np.ones(120)
    trust[:doubtful] = 0.5
    assert summary.doubt(replace(plain_report, evidence=replace(plain_report.evidence, trust=trust))).endswith(expected)


def test_a_map_that_is_no_better_than_pca_is_not_recommended(plain_report):
    poor = with_scores(plain_report, **{TRUST: (0.1, 0.0, 0.2), RECALL: (0.0, 0.0, 0.0)})
    assert "prefer the linear plane" in summary.advice(poor)
    assert "no more faithful than PCA" in summary.verdict(poor)


@pytest.mark.parametrize(("low", "word"), [(0.99, "clearly"), (0.5, "somewhat")])
def test_a_better_map_is_called_better(plain_report, low, word):
    better = with_scores(plain_report, **{TRUST: (1.0, 0.999, 1.0), RECALL: (1.0, low, 1.0)})
    baseline = replace(summary.score_of(better, RECALL), baseline=Estimate(0.4, 0.3, 0.6, 100))
    scores = tuple(baseline if score.name == RECALL else score for score in better.scores)
    assert word in summary.verdict(replace(better, evidence=replace(better.evidence, scores=scores)))
    assert "distances between far groups" in summary.advice(better)


def test_facts_of_the_page(plain_report):
    facts = {label: (value, detail) for label, value, detail in summary.headline_facts(plain_report)}
    assert list(facts) == ["Intrinsic dimension", "Connected parts", "Trustworthiness", "Neighbours kept"]
    assert facts["Connected parts"][0] == str(plain_report.profile.connectedness.n_components)
    assert facts["Neighbours kept"][0].endswith(" %")


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [([9], "all points hang together"), ([5, 4], "of 5, 4 points"), ([5, 4, 3, 2, 1], "of 5, 4, 3, 2, … points")],
)
def test_parts_are_listed_largest_first(sizes, expected):
    assert summary._parts_detail(np.array(sizes)) == expected


@pytest.mark.parametrize(("share", "text"), [(0.54, "54 %"), (0.006, "0.6 %"), (0.0002, "0.02 %"), (0, "0.00 %")])
def test_percent(share, text):
    assert summary._percent(share) == text


def test_the_dimension_of_the_largest_part_is_called_so():
    rng = np.random.default_rng(0)
    X = np.r_[rng.normal(size=(90, 3)), 50 + rng.normal(size=(60, 1)) * np.ones(3)]
    report = map_report(X, method=PCA(2), n_neighbors=8, checks="none")
    line = report.summary().splitlines()[1]
    assert line.startswith("Intrinsic dimension: about 3 in the largest part; in all at the smallest distances ")
    [(_, value, detail), *_] = summary.headline_facts(report)
    assert value == "≈ 3"
    assert detail.startswith("in the largest part; in all ")
