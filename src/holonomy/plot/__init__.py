"""Figures for papers and notebooks: maps, and the evidence for them, drawn by matplotlib.

Every function draws on ``ax``, or on new axes, and returns them, so that figures are put together and changed with
matplotlib's own means.
"""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach(
    __name__,
    submod_attrs={
        "axis_cones": ["principal_axes"],
        "distances": ["shepard"],
        "distortions": ["ellipses"],
        "embeddings": ["embedding"],
        "hyperbolic": ["disk"],
        "neighborhoods": ["rank_curves"],
        "scales": ["dimension"],
    },
)
