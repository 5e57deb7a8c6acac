"""Statistics on manifolds: centres and their confidence, principal directions, regression, clusters, likelihood."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach(
    __name__,
    submod_attrs={
        "centers": ["Center", "frechet_mean", "frechet_median", "frechet_variance"],
    },
)
