"""Numbers about data and its maps: how faithful a map is, how many dimensions data has, whether it hangs together."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach(
    __name__,
    submod_attrs={
        "components": ["Connectedness", "connectedness"],
        "dimension_scales": ["DimensionCurve", "dimension_over_scale"],
        "distance_agreement": ["normalized_stress", "shepard_correlation"],
        "estimate": ["Estimate"],
        "fractal_dimension": ["correlation_dimension"],
        "geometry_profile": ["GeometryProfile", "ProfileSection", "profile"],
        "hubs": ["Hubness", "hubness"],
        "hyperbolicity": ["Hyperbolicity", "delta_hyperbolicity"],
        "intrinsic_dimension": ["DimensionEstimate", "mle_dimension", "two_nn"],
        "labels": ["label_agreement"],
        "link_ranks": ["LinkRanking", "link_ranking"],
        "linear_span": ["LinearSpan", "effective_rank"],
        "map_geometry": ["MapMetric", "map_metric"],
        "neighborhoods": ["continuity", "neighbor_recall", "trustworthiness"],
        "null_checks": ["NullCheck", "null_check"],
        "outliers": ["local_outlier_factor"],
        "principal_dimension": ["local_pca_dimension"],
        "procrustes": ["Alignment", "align", "align_all"],
        "rank_curves": ["RankCurve", "rank_curve"],
        "recommendation": ["Recommendation"],
        "silhouettes": ["silhouette"],
        "steadiness": ["MapStability", "map_stability", "rerun_map"],
        "tangent_noise": ["NoiseLevel", "noise_level"],
        "triplets": ["triplet_accuracy"],
    },
)
