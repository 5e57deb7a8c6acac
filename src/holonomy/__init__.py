"""holonomy: the geometry of data.

Find it (``profile``), map it (``embed``), and show the evidence (``measure``, ``report``).
Rooms load on first use, so ``import holonomy`` costs almost nothing.
"""

import lazy_loader as _lazy

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = _lazy.attach(
    __name__,
    submodules=[
        "catalogue",
        "datasets",
        "embed",
        "graphs",
        "manifolds",
        "measure",
        "nn",
        "objectives",
        "optim",
        "plot",
        "predict",
        "report",
        "stats",
        "studies",
    ],
    submod_attrs={
        "_core.citations": ["citation"],
        "_core.persistence": ["load_model"],
        "measure.geometry_profile": ["profile", "GeometryProfile"],
        "report.comparison": ["compare"],
    },
)
__all__ += ["__version__"]
