"""The one training loop of the library: every trained estimator is parameters for it, a module and a loss."""

from holonomy._core.training.errors import NonFiniteError
from holonomy._core.training.fitting import fit_module
from holonomy._core.training.options import Checkpoints, EarlyStopping, TrainingOptions
from holonomy._core.training.results import EpochEnd, FitResult, Step

__all__ = [
    "Checkpoints",
    "EarlyStopping",
    "EpochEnd",
    "FitResult",
    "NonFiniteError",
    "Step",
    "TrainingOptions",
    "fit_module",
]
