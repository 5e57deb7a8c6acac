"""Surfaces of triangles: connectivity, operators, heat, exact geodesics, and the manifold they make."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach(
    __name__,
    submod_attrs={
        "closest": ["Places"],
        "mesh": ["Mesh"],
        "operators": ["MeshLaplacian", "MeshSpectrum"],
    },
)
