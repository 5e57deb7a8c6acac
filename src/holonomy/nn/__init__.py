"""Modules that know geometry: encoders of images and of points, and heads that put out rotations."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach(
    __name__,
    submod_attrs={
        "image_encoders": ["ImageEncoder"],
        "point_encoders": ["PointNet"],
        "rotation_heads": ["RotationHead"],
    },
)
