"""Sampled geometry: neighbours, affinities, operators, spectra, geodesics and tangent spaces of a cloud of points."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach(
    __name__,
    submod_attrs={
        "affinities": ["adaptive", "alpha_decay", "gaussian"],
        "compression": ["Landmarks", "landmarks"],
        "bandwidths": ["Bandwidth", "slope_bandwidth"],
        "connection": ["Connection", "Orientation", "orientation", "tangent_connection"],
        "connection_operator": ["FieldSpectrum", "connection_laplacian", "leading_fields"],
        "connectivity": ["connected_components"],
        "diffusion": ["DiffusionOperator"],
        "farthest": ["GeodesicLandmarks", "farthest_points"],
        "fuzzy": ["fuzzy_simplicial_set", "smooth_neighbor_distances"],
        "fuzzy_algebra": [
            "fuzzy_difference",
            "fuzzy_intersection",
            "fuzzy_union",
            "intersect_by_distance",
            "restore_connectivity",
        ],
        "hierarchies": ["hierarchy_depths", "split_closure", "transitive_closure", "transitive_reduction"],
        "knees": ["knee_point"],
        "laplacians": ["laplacian"],
        "neighbor_graph": ["NeighborGraph"],
        "perplexity": ["entropic"],
        "scaling": ["Scaling", "doubly_stochastic", "sinkhorn"],
        "search": ["NeighborIndex", "neighbors"],
        "shortest_paths": ["extend_geodesics", "geodesic_path", "geodesics"],
        "spectrum": ["Spectrum", "leading_spectrum"],
        "tangent": ["TangentSpaces", "tangent_spaces"],
        "varadhan": ["HeatDistances", "heat_distances"],
    },
)
