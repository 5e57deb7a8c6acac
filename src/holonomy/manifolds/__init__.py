"""Known geometry: manifolds as sets of verbs on plain tensors, and the distributions on them."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach(
    __name__,
    submod_attrs={
        "base": ["Manifold"],
        "curvature": ["ricci_tensor", "riemann_tensor", "scalar_curvature", "sectional_curvature"],
        "euclidean": ["Euclidean"],
        "methods": ["Exponential", "Ladder", "Projection"],
        "metric": ["Metric", "MetricManifold"],
        "slopes": ["SlopeCheck", "check_gradient", "check_hessian", "check_retraction", "check_transport"],
    },
)
