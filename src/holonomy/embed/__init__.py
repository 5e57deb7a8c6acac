"""Estimators that give every row of a table coordinates in a space one can look at or compute in."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach(
    __name__,
    submod_attrs={
        "aligned_umap": ["AlignedUMAP"],
        "classical_scaling": ["ClassicalScaling", "classical_mds"],
        "curve": ["fit_curve"],
        "diffusion_denoiser": ["DiffusionDenoiser"],
        "diffusion_maps": ["DiffusionMaps"],
        "displacement": ["displacement_interpolation"],
        "heat_geodesic": ["HeatGeodesic"],
        "initialization": ["initial_layout"],
        "isomap": ["Isomap"],
        "laplacian_eigenmaps": ["LaplacianEigenmaps"],
        "density": ["DensityForce", "log_radii", "map_log_radii"],
        "inverse": ["decode"],
        "layout": ["LayoutOptions", "optimize_layout"],
        "parametric_umap": ["ParametricUMAP"],
        "mds": ["MDS"],
        "edge_probability": ["fermi_dirac"],
        "phate": ["PHATE"],
        "poincare_embedding": ["PoincareEmbedding"],
        "single_cell": ["annotate"],
        "stochastic_scaling": ["stochastic_mds"],
        "stress": ["Scaling", "metric_mds", "nonmetric_mds"],
        "output_space": ["OutputGeometry", "output_geometry"],
        "supervision": ["supervised_graph"],
        "umap": ["UMAP"],
    },
)
