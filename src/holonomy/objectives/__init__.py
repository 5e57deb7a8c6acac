"""What models are trained for: pure functions of tensors that return a scalar."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach(
    __name__,
    submod_attrs={
        "rotation_likelihoods": ["bingham_loss", "matrix_fisher_loss"],
        "rotation_parameters": ["binned_angle_loss", "rotation_parameter_loss"],
        "rotations": ["chordal_loss", "geodesic_loss"],
    },
)
