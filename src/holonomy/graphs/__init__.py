"""Sampled geometry: neighbours, affinities, operators, spectra, geodesics and tangent spaces of a cloud of points."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach(
    __name__,
    submod_attrs={
        "affinities": ["adaptive", "alpha_decay", "gaussian"],
        "connectivity": ["connected_components"],
        "fuzzy": ["fuzzy_simplicial_set", "smooth_neighbor_distances"],
        "laplacians": ["laplacian"],
        "neighbor_graph": ["NeighborGraph"],
        "perplexity": ["entropic"],
        "scaling": ["doubly_stochastic"],
        "search": ["NeighborIndex", "neighbors"],
        "shortest_paths": ["geodesics"],
        "spectrum": ["Spectrum", "leading_spectrum"],
        "tangent": ["TangentSpaces", "tangent_spaces"],
    },
)
