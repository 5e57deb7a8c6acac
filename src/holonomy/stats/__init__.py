"""Statistics on manifolds: centres and their confidence, principal directions, regression, clusters, likelihood."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach(
    __name__,
    submod_attrs={
        "barycenters": ["barycentric_point", "barycentric_weights", "classify_barycenter"],
        "barycentric_projection": ["SpanProjection", "barycentric_project", "span_distance"],
        "barycentric_subspaces": ["BarycentricSubspaceAnalysis"],
        "center_regions": ["CenterConfidence", "center_confidence", "variance_confidence"],
        "clusters": ["ManifoldKMeans"],
        "geodesic_analysis": ["PrincipalGeodesicAnalysis"],
        "geodesic_regression": ["GeodesicRegression"],
        "leading_subspaces": ["LeadingIntervals", "leading_subspace_intervals", "leading_subspace_test"],
        "likelihood": ["fit_riemannian_normal", "fit_von_mises_fisher", "fit_wrapped_normal"],
        "neighbors": ["ManifoldKNeighborsClassifier", "ManifoldKNeighborsRegressor"],
        "tangent_pca": ["TangentPCA"],
        "centers": ["Center", "frechet_mean", "frechet_median", "frechet_variance"],
        "collection_comparison": [
            "CollectionTest",
            "collection_test",
            "distribution_test",
            "several_collections_test",
        ],
        "combined_pvalues": ["cauchy_combination", "harmonic_mean_pvalue"],
        "eigenvalue_tests": ["equal_eigenvalues_test", "propose_type"],
        "flag_centers": ["FlagCenter", "chordal_distance", "flag_mean", "flag_median"],
        "flag_clusters": ["FlagKMeans"],
        "flag_components": ["FlagComponents", "flag_pca"],
        "hypothesis_tests": ["TestResult"],
        "intrinsic_slices": ["IntrinsicSlices", "intrinsic_sliced_wasserstein"],
        "rotation_averages": ["motion_average", "rotation_average"],
        "subspace_inference": ["PCASubspaceInference"],
        "subspace_simulation": ["subspace_statistics"],
    },
)
