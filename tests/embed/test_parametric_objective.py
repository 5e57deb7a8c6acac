"""What a parametric map is trained for: the graph, the batches and the options of training."""

import numpy as np
import pytest
from scipy import sparse

from holonomy.embed import UMAP, ParametricUMAP
from holonomy.embed._parametric_objective import edges_at_once, graph_of, training_options

X = np.random.default_rng(0).normal(size=(150, 4))


def test_batches_suit_the_number_of_edges():
    graph = graph_of(ParametricUMAP(), X, None, None, 0).graph_
    assert edges_at_once(7, graph) == 7
    assert edges_at_once(None, graph) == 100
    assert edges_at_once(None, sparse.block_diag([graph] * 30).tocsr()) == 1000


def test_the_graph_is_that_of_umap_with_the_same_parameters():
    given = {"n_neighbors": 7, "metric": "manhattan", "set_op_mix_ratio": 0.5, "a": 1.0, "b": 0.8}
    graph = graph_of(ParametricUMAP(**given), X, None, None, 3)
    other = UMAP(**given, transform_mode="graph", random_state=3).fit(X)
    np.testing.assert_array_equal(graph.graph_.toarray(), other.graph_.toarray())
    assert (graph.a_, graph.b_) == (1.0, 0.8)


def test_options_of_training():
    options = training_options(ParametricUMAP(training_options={"gradient_clip_norm": 4.0}), 3)
    assert (options.max_epochs, options.gradient_clip_norm, options.n_threads) == (3, 4.0, 1)
    with pytest.raises(ValueError, match="n_epochs"):
        training_options(ParametricUMAP(training_options={"max_epochs": 4}), 3)
