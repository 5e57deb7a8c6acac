"""Estimators that give every row of a table coordinates in a space one can look at or compute in."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach(
    __name__,
    submod_attrs={
        "classical_scaling": ["ClassicalScaling", "classical_mds"],
        "curve": ["fit_curve"],
        "initialization": ["initial_layout"],
        "layout": ["LayoutOptions", "optimize_layout"],
        "supervision": ["supervised_graph"],
        "umap": ["UMAP"],
    },
)
