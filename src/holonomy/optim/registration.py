"""Which parameters of a module live on which manifolds."""

from collections.abc import Iterator
from typing import Any

from torch import Tensor, nn

from holonomy.manifolds import Manifold

_RECORD = "_manifolds"


class _Record(nn.Module):
    """The manifolds of a module's parameters, part of the module so that they move, are saved and copied with it."""

    def __init__(self) -> None:
        super().__init__()
        self.spaces = nn.ModuleList()
        self.names: list[str] = []
        self._tagged: list[nn.Parameter] = []

    def add(self, name: str, parameter: nn.Parameter, manifold: Manifold) -> None:
        """Append, or replace what the name had."""
        if name in self.names:
            place = self.names.index(name)
            self.spaces[place], self._tagged[place] = manifold, parameter
        else:
            self.names.append(name)
            self.spaces.append(manifold)
            self._tagged.append(parameter)
        self._tag()

    def _tag(self) -> None:
        """Let each parameter know its manifold, for who holds the parameter but not the module."""
        for parameter, manifold in zip(self._tagged, self.spaces, strict=True):
            parameter.manifold = manifold  # type: ignore[attr-defined]

    def __setstate__(self, state: dict[str, Any]) -> None:
        # Copies and unpickled modules have new parameters, and copied parameters lose their attributes.
        super().__setstate__(state)
        self._tag()

    def extra_repr(self) -> str:
        return ", ".join(self.names)


def register_manifold(module: nn.Module, name: str, manifold: Manifold, data: Tensor | None = None) -> nn.Parameter:
    """Say that a parameter of a module lives on a manifold.

    The parameter stays a plain ``Parameter``: the module computes, saves, compiles and moves as before. Optimisers of
    this room find the manifold, whether they are given the module or its parameters; copies of the module keep it.
    A manifold with a learnable curvature becomes a part of the module, and the curvature one of its parameters.

    Parameters
    ----------
    module : Module
        Owner of the parameter, directly and not through a submodule.
    name : str
        Name of the parameter.
    manifold : Manifold
        Where its points (..., *manifold.shape) live.
    data : Tensor, optional
        Points for a new parameter of that name, or new points for an existing one; without it the values that the
        parameter has must be points of the manifold.

    Returns
    -------
    Parameter
        The parameter.

    Raises
    ------
    TypeError
        If ``module`` is no module, ``manifold`` no manifold, or the points no floating-point tensor.
    ValueError
        If there is no such parameter and no ``data``, the shape is wrong, or values are off the manifold.

    Examples
    --------
    >>> from torch import nn
    >>> from holonomy.manifolds import PoincareBall
    >>> from holonomy.optim import RiemannianAdam, register_manifold
    >>> ball, words = PoincareBall(5), nn.Embedding(1000, 5)
    >>> words.weight = register_manifold(words, "weight", ball, ball.random_normal(1000, std=0.01, random_state=0))
    >>> RiemannianAdam(words, lr=0.1)
    RiemannianAdam (
      weight (1000, 5) on PoincareBall(5, curvature=-1)
      lr 0.1, betas (0.9, 0.999), eps 1e-08, bias_correction True, beta1_decay 1.0
    )
    """
    if not isinstance(module, nn.Module):
        raise TypeError(f"module must be a torch module, got {type(module).__name__}.")
    if not isinstance(manifold, Manifold):
        raise TypeError(f"manifold must be a holonomy.manifolds.Manifold, got {type(manifold).__name__}.")
    known = module._parameters.get(name)
    if data is None and known is None:
        own = ", ".join(module._parameters) or "none"
        raise ValueError(f"name must be a parameter of the module itself (there: {own}), got {name!r}; or give data.")
    points = known if data is None else data
    manifold.check_point(points.detach() if isinstance(points, Tensor) else points, name if data is None else "data")
    if known is None:
        known = nn.Parameter(data.detach().clone())  # type: ignore[union-attr]
        module.register_parameter(name, known)
    elif data is not None:
        if known.shape != data.shape:
            raise ValueError(f"data must have the shape {tuple(known.shape)} of {name}, got {tuple(data.shape)}.")
        known.data.copy_(data)
    record = module._modules.get(_RECORD)
    if not isinstance(record, _Record):
        record = _Record()
        module.add_module(_RECORD, record)
    record.add(name, known, manifold)
    return known


def named_manifolds(module: nn.Module) -> Iterator[tuple[str, nn.Parameter, Manifold | None]]:
    """Yield every parameter once: its name, itself, and its manifold or None.

    Parameters
    ----------
    module : Module
        Whose parameters are looked through, with those of submodules.

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import Sphere
    >>> from holonomy.optim import named_manifolds, register_manifold
    >>> layer = torch.nn.Linear(3, 2)
    >>> _ = register_manifold(layer, "weight", Sphere(2), torch.eye(3)[:2])
    >>> [(name, manifold) for name, _, manifold in named_manifolds(layer)]
    [('weight', Sphere(2, curvature=1)), ('bias', None)]
    """
    spaces = {}
    for one in module.modules():
        record = one._modules.get(_RECORD)
        if isinstance(record, _Record):
            for name, space in zip(record.names, record.spaces, strict=True):
                spaces[id(one._parameters.get(name))] = space
    for name, parameter in module.named_parameters():
        yield name, parameter, spaces.get(id(parameter), getattr(parameter, "manifold", None))
