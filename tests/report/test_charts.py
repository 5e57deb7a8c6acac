import re
from xml.etree import ElementTree

import numpy as np
import pytest

from holonomy.measure import Estimate, rank_curve
from holonomy.report.charts import rank_chart, score_line


def drawn(markup):
    return ElementTree.fromstring(str(markup))  # noqa: S314 - our own drawing


@pytest.mark.parametrize("n", [10, 300])
def test_curves_lie_within_their_drawing(n):
    X = np.random.default_rng(0).normal(size=(n, 4))
    curves = {"Map": rank_curve(X, X[:, :2]), "<b>": rank_curve(X, X[:, 2:])}
    svg = drawn(rank_chart(curves))
    _, _, width, height = map(float, svg.get("viewBox").split())
    for path in svg.iter("path"):
        for x, y in re.findall(r"[ML]([\d.]+) ([\d.]+)", path.get("d")):
            assert 0 <= float(x) <= width
            assert 0 <= float(y) <= height
    assert [text.text for text in svg.iter("tspan")] == ["Map", "<b>"]
    assert "Area under the curve: Map" in svg.get("aria-label")


def test_many_curves_are_told_apart_and_named_within_the_drawing():
    X = np.random.default_rng(0).normal(size=(40, 6))
    names = ["pca", *(f"a rather long name of map {i}" for i in range(12))]
    svg = drawn(rank_chart({name: rank_curve(X, X[:, i % 5 : i % 5 + 2]) for i, name in enumerate(names)}))
    styles = [path.get("class") for path in svg.iter("path") if path.get("class").startswith("curve")]
    assert styles[:3] == ["curve s1", "curve s0", "curve s2"]
    assert len(set(styles)) == 13
    texts = [text for text in svg.iter("text") if "tick" not in text.get("class")]
    places = sorted(float(text.get("y")) for text in texts)
    assert np.diff(places).min() > 15
    assert 0 < places[0] < places[-1] < 230
    assert all(len(text.find("tspan").text) <= 16 for text in texts)
    assert all(float(text.get("x")) + 7.6 * 21 < 560 for text in texts)


def test_scores_lie_where_they_are():
    svg = drawn(score_line([Estimate(0.5, 0.25, 0.75, 10), Estimate(1.0, 1.0, 1.0, 10)]))
    places = [float(circle.get("cx")) for circle in svg.iter("circle")]
    assert places == [192.0, 100.0]
