import numpy as np

import holonomy
from holonomy.cli import placing
from holonomy.datasets import as_table


def test_blocks_change_no_place(monkeypatch):
    X = np.random.default_rng(0).normal(size=(60, 3))
    umap = holonomy.embed.UMAP(n_epochs=10, random_state=0).fit(X)
    monkeypatch.setattr(placing, "BLOCK", 7)
    np.testing.assert_array_equal(placing.places_of(umap, as_table(X + 0.1)), umap.transform(X + 0.1))
    assert placing.wanted_columns(umap) is None
