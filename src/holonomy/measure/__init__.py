"""Numbers about data and its maps: how faithful a map is, how many dimensions data has, whether it hangs together."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach(
    __name__,
    submod_attrs={
        "components": ["Connectedness", "connectedness"],
        "distance_agreement": ["normalized_stress", "shepard_correlation"],
        "estimate": ["Estimate"],
        "geometry_profile": ["GeometryProfile", "ProfileSection", "profile"],
        "intrinsic_dimension": ["DimensionEstimate", "mle_dimension", "two_nn"],
        "labels": ["label_agreement"],
        "linear_span": ["LinearSpan", "effective_rank"],
        "neighborhoods": ["continuity", "neighbor_recall", "trustworthiness"],
        "rank_curves": ["RankCurve", "rank_curve"],
        "recommendation": ["Recommendation"],
        "silhouettes": ["silhouette"],
        "triplets": ["triplet_accuracy"],
    },
)
