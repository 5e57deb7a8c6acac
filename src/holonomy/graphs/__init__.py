"""Sampled geometry: neighbours, affinities, operators, spectra, geodesics and tangent spaces of a cloud of points."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach(
    __name__,
    submod_attrs={
        "affinities": ["adaptive", "alpha_decay", "gaussian"],
        "components": ["connected_components"],
        "doubly_stochastic": ["doubly_stochastic"],
        "entropic": ["entropic"],
        "fuzzy": ["fuzzy_simplicial_set", "smooth_neighbor_distances"],
        "geodesics": ["geodesics"],
        "laplacian": ["laplacian"],
        "neighbor_graph": ["NeighborGraph"],
        "neighbors": ["NeighborIndex", "neighbors"],
        "spectrum": ["Spectrum", "leading_spectrum"],
        "tangent": ["TangentSpaces", "tangent_spaces"],
    },
)
