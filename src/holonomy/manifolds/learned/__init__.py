"""Learned geometry: a metric given by a function or a network, with the same verbs as the known spaces."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach(
    __name__,
    submod_attrs={
        "metric_field": ["MetricField"],
        "pullback": ["PullbackManifold"],
        "splines": ["GeodesicSpline"],
    },
)
