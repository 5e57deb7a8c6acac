"""Synthetic manifolds with ground truth, and loaders of real data.

**What every** ``make_*`` **returns.** A scikit-learn ``Bunch`` with at least these entries:

========================  ==============================================================================================
``X``                     float64 array (n, D): the observed points
``X_clean``               float64 array (n, D): the same points without noise
``latent``                float64 array (n, d): the coordinates that made the noise-free points; on a piece that needs
                          fewer than d of them the rest are zero
``intrinsic_dim``         int: dimension of the set, its highest where pieces differ
``local_dim``             int array (n,): dimension of the piece that each point lies on
``geodesic_distances``    callable ``(i, j) -> distances`` between the noise-free points of those row numbers, exact, or
                          None where no closed form is known; arrays of row numbers broadcast, so that
                          ``geodesic_distances(rows[:, None], rows)`` is a matrix
``labels``                int array (n,): piece, branch or cluster; all zero where there is one
``frame``                 float64 array (D, own dimension) with orthonormal columns that turned the set's own
                          coordinates into R^D, or None
``DESCR``                 str: what was made
========================  ==============================================================================================

Rows are in random order, except the nodes of a whole tree, so that any leading part is a sample too.

**What every** ``make_*`` **takes.** The same ways to observe a set:

``noise``
    Standard deviation of isotropic Gaussian noise, added in all D coordinates, after the rotation.
``density``
    Points are uniform with respect to the Riemannian volume (a set that is not says so). A positive float r makes the
    density fall by the factor r, as ``r ** -height``, where every set names its *height*, which runs over [0, 1]; r
    below 1 makes it rise. A callable takes latent coordinates (m, d) and returns the m relative densities, in [0, 1].
    Both are exact, by rejection.
``ambient_dim``
    D. The set is turned into R^D by a random orthonormal frame (uniform: Haar measure). None keeps its own coordinates.
``random_state``
    Points, noise and frame have independent streams: turning the noise on does not move the points.
"""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach(
    __name__,
    submod_attrs={
        "_registry": ["names"],
        "cameras": ["PinholeCamera"],
        "crossings": ["make_crossing_line_and_plane", "make_crossing_lines", "make_crossing_planes"],
        "curves": ["make_helix"],
        "hyperbolic": ["make_hyperbolic_ball"],
        "loaders": ["load", "titles"],
        "mesh_surfaces": ["sample_surface", "unit_mesh"],
        "mixtures": ["make_gaussian_mixture"],
        "products": ["make_product"],
        "rendered_poses": ["make_rendered_poses"],
        "rendering": ["render_mesh"],
        "rolls": ["make_s_curve", "make_swiss_roll"],
        "singular": ["make_pinched_torus", "make_wedge_of_spheres"],
        "spheres": ["make_ball", "make_sphere"],
        "subspaces": ["make_subspace"],
        "surfaces": [
            "make_flat_klein_bottle",
            "make_flat_moebius_band",
            "make_klein_bottle",
            "make_moebius_band",
        ],
        "table": ["Table", "as_table", "read_table"],
        "tori": ["make_flat_torus", "make_torus"],
        "trees": ["make_balanced_tree", "make_branching_tree"],
    },
)
