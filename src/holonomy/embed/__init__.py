"""Estimators that give every row of a table coordinates in a space one can look at or compute in."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach(
    __name__,
    submod_attrs={
        "classical_scaling": ["ClassicalScaling", "classical_mds"],
        "curve": ["fit_curve"],
        "diffusion_denoiser": ["DiffusionDenoiser"],
        "diffusion_maps": ["DiffusionMaps"],
        "initialization": ["initial_layout"],
        "laplacian_eigenmaps": ["LaplacianEigenmaps"],
        "inverse": ["decode"],
        "layout": ["LayoutOptions", "optimize_layout"],
        "stochastic_scaling": ["stochastic_mds"],
        "stress": ["Scaling", "metric_mds", "nonmetric_mds"],
        "supervision": ["supervised_graph"],
        "umap": ["UMAP"],
    },
)
