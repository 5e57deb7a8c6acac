"""Pipelines for one domain from end to end: data in its file formats, a model, and the published evaluation."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach(
    __name__,
    submodules=["head_pose"],
)
