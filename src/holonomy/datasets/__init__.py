"""Synthetic manifolds with ground truth, and loaders of real data.

Every ``make_*`` returns a scikit-learn ``Bunch`` with the same entries and takes the same four ways to observe a set
(``noise``, ``density``, ``ambient_dim``, ``random_state``); the guide to both is :class:`holonomy.datasets.Observation`.
"""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach(
    __name__,
    submod_attrs={
        "curves": ["make_helix"],
        "ground_truth": ["GeodesicDistances", "Observation"],
        "hyperbolic": ["make_hyperbolic_ball"],
        "loaders": ["load", "names"],
        "mixtures": ["make_gaussian_mixture"],
        "products": ["make_product"],
        "rolls": ["make_s_curve", "make_swiss_roll"],
        "singular": [
            "make_crossing_line_and_plane",
            "make_crossing_lines",
            "make_crossing_planes",
            "make_pinched_torus",
            "make_wedge_of_spheres",
        ],
        "spheres": ["make_ball", "make_sphere"],
        "subspaces": ["make_subspace"],
        "surfaces": [
            "make_flat_klein_bottle",
            "make_flat_moebius_band",
            "make_klein_bottle",
            "make_moebius_band",
        ],
        "table": ["Table", "read_table"],
        "tori": ["make_flat_torus", "make_torus"],
        "trees": ["make_balanced_tree", "make_branching_tree"],
    },
)
