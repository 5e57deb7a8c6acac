import pytest
from sklearn.decomposition import PCA

from holonomy.embed import UMAP
from holonomy.embed._methods import make_method, method_names


def test_methods_are_known_by_name():
    assert {"umap", "pca"} <= set(method_names())
    assert "layoutoptions" not in method_names()
    assert isinstance(make_method("UMAP"), UMAP)
    assert isinstance(make_method("pca"), PCA)


@pytest.mark.parametrize("name", method_names())
def test_every_method_can_be_made_by_its_name(name):
    made = make_method(name, random_state=3)
    told = made.get_params(deep=False)
    assert told.get("random_state", 3) == 3
    assert told.get("n_components", 2) == 2


def test_defaults_are_set_where_they_are_known_and_parameters_go_before_them():
    made = make_method("umap", {"n_neighbors": 7, "min_dist": 0.2}, n_neighbors=30, random_state=1, colour=3)
    assert (made.n_neighbors, made.min_dist, made.random_state) == (7, 0.2, 1)
    assert make_method("umap", n_neighbors=None).n_neighbors == UMAP().n_neighbors


@pytest.mark.parametrize(
    ("name", "parameters", "reason"),
    [
        ("umpa", {}, "none called 'umpa'; did you mean umap"),
        ("xyzzy", {}, "choose one of"),
        ("umap", {"min_dst": 1}, "UMAP has no parameter 'min_dst'; did you mean min_dist"),
        ("pca", {"zzz": 1}, "PCA has no parameter 'zzz'; it has copy"),
    ],
)
def test_what_is_not_known_gets_a_hint(name, parameters, reason):
    with pytest.raises(ValueError, match=reason):
        make_method(name, parameters)


def test_a_name_is_a_text():
    with pytest.raises(TypeError, match="must be the name of a method"):
        make_method(3)
