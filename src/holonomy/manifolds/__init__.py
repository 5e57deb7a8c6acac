"""Known geometry: manifolds as sets of verbs on plain tensors, and the distributions on them."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach(
    __name__,
    submod_attrs={
        "affine_invariant": ["AffineInvariant"],
        "base": ["Manifold"],
        "bures_wasserstein": ["BuresWasserstein"],
        "conversions": ["convert", "convert_tangent"],
        "curvature": ["ricci_tensor", "riemann_tensor", "scalar_curvature", "sectional_curvature"],
        "euclidean": ["Euclidean"],
        "gyrovectors": ["gyration", "gyro_add", "gyro_inverse", "gyro_scale"],
        "hyperboloid": ["Hyperboloid"],
        "log_cholesky": ["LogCholesky"],
        "log_euclidean": ["LogEuclidean"],
        "methods": ["Exponential", "Ladder", "Projection"],
        "metric": ["Metric", "MetricManifold"],
        "polar": ["polar_factor"],
        "pulled_back": ["Chart", "PulledBack"],
        "slopes": ["SlopeCheck", "check_gradient", "check_hessian", "check_retraction", "check_transport"],
        "spd": ["SPD"],
        "spd_charts": ["GeneralizedBuresWasserstein", "PowerDeformed"],
        "sphere": ["Sphere"],
        "stereographic": ["PoincareBall", "Stereographic"],
        "symmetric": [
            "cholesky_differential",
            "lyapunov",
            "sym_exp",
            "sym_function",
            "sym_inv_sqrt",
            "sym_log",
            "sym_power",
            "sym_sqrt",
        ],
    },
)
