"""Estimators that answer: from coordinates, images or points to targets that live on manifolds."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach(
    __name__,
    submod_attrs={
        "rotation_regressor": ["RotationRegressor"],
    },
)
