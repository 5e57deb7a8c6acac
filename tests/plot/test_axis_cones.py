import numpy as np
import pytest

from holonomy import plot
from holonomy.stats import PCASubspaceInference

X = np.random.default_rng(0).standard_normal((300, 4)) * [4.0, 2.0, 1.0, 1.0]


@pytest.mark.parametrize(("variables", "name"), [((0, 1), "rectilinear"), ((0, 1, 3), "3d")])
def test_axes_and_their_cones_are_drawn(variables, name):
    inference = PCASubspaceInference((1, 1, 2)).fit(X)
    ax = plot.principal_axes(inference, variables=variables, n_draws=10)
    assert ax.name == name
    assert len(ax.get_lines()) >= 22
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["axis 1", "axis 2"]


def test_bad_input_is_refused():
    inference = PCASubspaceInference((2, 2)).fit(X)
    with pytest.raises(ValueError, match="no axis of its own"):
        plot.principal_axes(inference)
    for variables in ((0,), (0, 0), (0, 9)):
        with pytest.raises(ValueError, match="variables"):
            plot.principal_axes(inference, variables=variables)
