"""The profile's sentences are right on sampled geometries, whatever their parameters, sizes and noise."""

import re

import numpy as np
import pytest

from holonomy import datasets
from holonomy.measure import profile

SIZES_AND_NOISE = [(500, 0.0), (1000, 0.01), (2000, 0.03)]
"""Points, and noise in units of the smallest feature of the set."""


def flat(d):
    return {1: "a straight line", 2: "a flat sheet"}.get(d, rf"a flat cloud of (about )?{d} dimensions")


# fmt: off
SURFACE = "look 2-dimensional, like a surface "
CURLED = SURFACE + ".*curled up in 3 linear"
CASES = {
    "swiss roll": ("make_swiss_roll", {}, 8, 3, CURLED, "euclidean"),
    "wide swiss roll": ("make_swiss_roll", {"width": 35.0}, 8, 3, SURFACE, "euclidean"),
    "swiss roll with a hole": ("make_swiss_roll", {"hole": True}, 8, 3, SURFACE, "euclidean"),
    "s-curve": ("make_s_curve", {"width": 4.0}, 1, 3, CURLED, "euclidean"),
    "circle": ("make_sphere", {"dim": 1, "radius": 7.0}, 7, 2, "look 1-dimensional, like a circle", "spherical"),
    "sphere": ("make_sphere", {"dim": 2, "radius": 3.0}, 3, 3, "2-dimensional.*sphere of radius (3|2.9)", "spherical"),
    "sphere of 4 dimensions": ("make_sphere", {"dim": 4}, 1, 5, "look 4-dimensional.*on a sphere", "spherical"),
    "sphere of 7 dimensions": ("make_sphere", {"dim": 7}, 1, 8, "look 7-dimensional.*on a sphere", "spherical"),
    "torus": ("make_torus", {"major_radius": 3.0}, 1, 3, SURFACE + ".*(curled up in 3|do not lie flat)", "euclidean"),
    "flat torus": ("make_flat_torus", {"dim": 2}, 1, 4, SURFACE + ".*curled up in 4 linear", "euclidean"),
    "flat torus of 3": ("make_flat_torus", {"dim": 3}, 1, 6, "look 3-dimensional.*curled up in 6", "euclidean"),
    "Klein bottle": ("make_klein_bottle", {}, 1, 4, SURFACE, "euclidean"),
    "Moebius band": ("make_moebius_band", {"half_width": 0.6}, 0.6, 3, SURFACE, "euclidean"),
    "helix": ("make_helix", {"n_turns": 4.0}, 1, 3, "look 1-dimensional, like an open curve", "euclidean"),
    "hyperbolic disc": ("make_hyperbolic_ball", {"radius": 1.5}, 1, 3, SURFACE, "euclidean"),
    "tree": ("make_branching_tree", {"depth": 3}, 0.7, 14, "1-dimensional, like a branching tree", "hyperbolic"),
    "bushy tree": ("make_branching_tree", {"branching": 4, "depth": 2}, 0.7, 20, "a branching tree", "hyperbolic"),
    "crossing lines": ("make_crossing_lines", {"n_lines": 3}, 0.7, 3, "like a branching tree", "hyperbolic"),
    "line": ("make_subspace", {"dim": 1, "ambient_dim": 20}, 1, 20, flat(1), "euclidean"),
    "plane": ("make_subspace", {"dim": 2, "ambient_dim": 12}, 1, 12, flat(2), "euclidean"),
    "subspace": ("make_subspace", {"dim": 6, "ambient_dim": 30}, 1, 30, flat(6), "euclidean"),
    "uneven subspace": ("make_subspace", {"dim": 4, "scales": [4, 3, 2, 1]}, 1, 10, flat(4), "euclidean"),
    "disc": ("make_ball", {"dim": 2}, 0.5, 2, flat(2), "euclidean"),
    "ball": ("make_ball", {"dim": 5, "radius": 9.0}, 4, 5, flat(5), "euclidean"),
}
# fmt: on


@pytest.mark.slow
@pytest.mark.parametrize("turned", [False, True], ids=["own coordinates", "turned"])
@pytest.mark.parametrize(("n", "noise"), SIZES_AND_NOISE)
@pytest.mark.parametrize("name", CASES)
def test_known_geometries(name, n, noise, turned):
    maker, parameters, feature, ambient, pattern, geometry = CASES[name]
    if turned:
        parameters = {**parameters, "ambient_dim": ambient + 10}
    seed = 7 * n + len(name)
    X = getattr(datasets, maker)(n, noise=noise * feature, random_state=seed, **parameters).X
    found = profile(X)
    assert re.search(pattern, found.headline), found.headline
    assert found.recommendation.geometry == geometry
    is_flat = pattern in {flat(dimension) for dimension in range(1, 7)}
    assert found.recommendation.method == ("PCA" if is_flat else "UMAP")


@pytest.mark.slow
@pytest.mark.parametrize("density", [0.3, 3.0])
def test_uneven_density_changes_no_sentence(density):
    for maker, pattern in [("make_swiss_roll", "2-dimensional"), ("make_sphere", "on a sphere"), ("make_ball", "flat")]:
        X = getattr(datasets, maker)(1500, density=density, random_state=1).X
        assert re.search(pattern, profile(X).headline)


def test_units_change_no_sentence():
    X = datasets.make_torus(800, noise=0.01, random_state=0).X
    one, other = profile(X), profile(1e4 * X)
    assert one.headline == other.headline
    assert one.recommendation == other.recommendation


@pytest.mark.parametrize(("n", "noise"), [(1000, 0.0), (500, 0.0), (1500, 0.01)])
def test_mixed_dimensions(n, noise):
    X = datasets.make_crossing_line_and_plane(n, noise=noise, random_state=0).X
    found = profile(X)
    assert "look 1- to 2-dimensional, depending on the place" in found.headline
    assert found.section("shape").values["is_mixed"]


def test_a_tree_with_joints_is_not_called_mixed():
    X = datasets.make_branching_tree(1000, branching=4, depth=2, noise=0.007, random_state=0).X
    found = profile(X)
    assert "1-dimensional, like a branching tree" in found.headline
    assert not found.section("shape").values["is_mixed"]


@pytest.mark.parametrize("sizes", [(600, 300), (300, 600)])
def test_what_is_said_of_separate_parts_is_said_of_the_largest(sizes):
    rng = np.random.default_rng(0)
    line = np.c_[rng.uniform(0, 8, sizes[0]), np.zeros((sizes[0], 3))]
    ball = datasets.make_ball(sizes[1], dim=3, ambient_dim=4, random_state=0).X + 30
    found = profile(np.r_[line, ball])
    shape = "a straight line" if sizes[0] > sizes[1] else "a flat cloud of 3 dimensions"
    assert found.headline.startswith(f"The largest of 2 parts looks like {shape} (TwoNN")
    dimensions = re.search(r"In the parts it is (.*) and (.*), the largest part first", str(found)).groups()
    assert np.round([float(dimension) for dimension in dimensions]).tolist() == ([1, 3] if sizes[0] == 600 else [3, 1])


def test_spheres_apart_are_no_one_sphere():
    ball = datasets.make_ball(400, dim=3, ambient_dim=3, random_state=0).X
    found = profile(np.r_[datasets.make_sphere(800, dim=2, random_state=0).X, ball + 20])
    assert "The largest of 2 parts looks 2-dimensional, like a surface" in found.headline
    assert found.section("shape").sentences[0].startswith("The points of the largest part lie on a sphere")
    assert found.recommendation.geometry == "euclidean"


def test_small_noise_is_not_called_none_where_it_counts():
    X = datasets.make_helix(900, noise=0.01, ambient_dim=5, random_state=0).X
    found = profile(X)
    assert "where noise counts" in found.headline
    assert "less than 1 % of the extent" in found.section("noise").sentences[0]
    assert found.section("noise").sentences[0].startswith("Points lie off a surface")


def test_noise_is_measured_on_curved_sets():
    X = datasets.make_sphere(2000, dim=2, noise=0.05, ambient_dim=8, random_state=0).X
    found = profile(X).section("noise")
    assert found.values["deviation"] == pytest.approx(0.05, rel=0.2)
    assert found.sentences[0].startswith("Points lie off a surface of 2 dimensions by about 0.0")
    clean = profile(datasets.make_sphere(2000, dim=2, random_state=0).X).section("noise")
    assert clean.sentences[0].startswith("No noise is seen")


def test_the_dimension_over_scale_is_told():
    X = datasets.make_sphere(3000, dim=1, noise=0.005, ambient_dim=10, random_state=0).X
    values = profile(X).section("scales").values
    assert values["values"][0] > 3
    assert values["values"][-1] < 1.5
    assert "the dimension reads" in profile(X).section("scales").sentences[0]


def test_hubs_are_told_in_many_dimensions():
    found = profile(np.random.default_rng(0).normal(size=(800, 60)))
    assert found.section("hubs").values["skewness"] > 1.4
    assert "hubs take" in found.section("hubs").sentences[0]
    assert any("neighbours of very many" in sentence for sentence in found.recommendation.watch)
    assert (
        "No point is the neighbour"
        in profile(np.random.default_rng(0).normal(size=(800, 2))).section("hubs").sentences[0]
    )


def test_outliers_are_told():
    X = np.random.default_rng(0).normal(size=(600, 3))
    X[:3] += [[40, 0, 0], [0, 50, 0], [0, 0, 60]]
    found = profile(X)
    assert found.section("outliers").values["n_outliers"] >= 3
    assert (found.outlier_factors[:3] > 5).all()
    assert any("Outliers may take most" in sentence for sentence in found.recommendation.watch)


def test_producers_may_be_added(monkeypatch):
    from holonomy.measure import ProfileSection, _sections

    def curvature(evidence):
        return ProfileSection("curvature", (f"{len(evidence.points)} points seen.",), {"seed": evidence.seed})

    monkeypatch.setattr(_sections, "PRODUCERS", [*_sections.PRODUCERS, curvature, lambda evidence: None])
    found = profile(np.random.default_rng(0).normal(size=(100, 3)))
    assert found.section("curvature").sentences == ("100 points seen.",)
    assert "100 points seen." in str(found)
