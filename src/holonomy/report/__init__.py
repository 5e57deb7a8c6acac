"""The map of data as one page that a person can forward: the geometry, the map, and how far to trust it."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach(
    __name__,
    submod_attrs={
        "alerts": ["Alert"],
        "comparison": ["ComparedMap", "Comparison", "compare"],
        "compared_page": ["ComparisonReport", "compare_report"],
        "evidence": ["Evidence", "Score"],
        "mapping": ["map_report"],
        "result": ["MapReport"],
    },
)
