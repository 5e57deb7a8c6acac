"""Spaces with several metrics: a metric object owns all the verbs that depend on it, so that they cannot disagree."""

from abc import ABC
from typing import TYPE_CHECKING, Any, ClassVar, cast

import torch
from torch import Tensor, nn

from holonomy._core.persistence import Remade
from holonomy.manifolds._derived import DERIVED
from holonomy.manifolds.base import Manifold

if TYPE_CHECKING:
    from holonomy.manifolds.means import MeanSolver


class Metric(Remade, nn.Module, ABC):
    """All verbs of one metric on the points of a space.

    A metric writes the hooks of :class:`Manifold` that depend on it, with the space as first argument, for instance
    ``_exp(self, space, x, v)``; what it does not write is derived as for a manifold, from its own verbs. Its parameters
    (an exponent, a matrix) are its constructor's.

    Examples
    --------
    >>> from holonomy.manifolds import SPD, BuresWasserstein, Metric
    >>> isinstance(BuresWasserstein(), Metric), SPD(2, metric=BuresWasserstein()).metric
    (True, BuresWasserstein())
    """

    OWNED: ClassVar[tuple[str, ...]] = (
        "_inner", "_norm", "_exp", "_log", "_dist", "_squared_dist", "_geodesic", "_transport", "_egrad_to_rgrad",
        "_frame", "_random_tangent", "_log_volume_element", "_normal_log_prob", "_heat_kernel", "_log_heat_kernel",
        "_injectivity_radius", "_mean_solver",
    )  # fmt: skip

    if TYPE_CHECKING:

        def _inner(self, space: Manifold, x: Tensor, u: Tensor, v: Tensor) -> Tensor: ...
        def _norm(self, space: Manifold, x: Tensor, v: Tensor) -> Tensor: ...
        def _exp(self, space: Manifold, x: Tensor, v: Tensor) -> Tensor: ...
        def _log(self, space: Manifold, x: Tensor, y: Tensor) -> Tensor: ...
        def _dist(self, space: Manifold, x: Tensor, y: Tensor) -> Tensor: ...
        def _squared_dist(self, space: Manifold, x: Tensor, y: Tensor) -> Tensor: ...
        def _geodesic(self, space: Manifold, x: Tensor, y: Tensor, t: Tensor) -> Tensor: ...
        def _transport(self, space: Manifold, x: Tensor, y: Tensor, v: Tensor) -> Tensor: ...
        def _egrad_to_rgrad(self, space: Manifold, x: Tensor, gradient: Tensor) -> Tensor: ...
        def _frame(self, space: Manifold, x: Tensor) -> Tensor: ...
        def _random_tangent(self, space: Manifold, x: Tensor, generator: torch.Generator) -> Tensor: ...
        def _log_volume_element(self, space: Manifold, x: Tensor, v: Tensor) -> Tensor: ...
        def _normal_log_prob(self, space: Manifold, x: Tensor, mean: Tensor, std: Tensor) -> Tensor: ...
        def _heat_kernel(self, space: Manifold, x: Tensor, y: Tensor, s: Tensor) -> Tensor: ...
        def _log_heat_kernel(self, space: Manifold, x: Tensor, y: Tensor, s: Tensor) -> Tensor: ...
        def _injectivity_radius(self, space: Manifold) -> float: ...
        def _mean_solver(self, space: Manifold) -> MeanSolver: ...

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for hook in cls.OWNED:
            if not hasattr(cls, hook):
                setattr(cls, hook, _derive(hook))

    @property
    def derived(self) -> frozenset[str]:
        """The verbs that this metric does not write, and that are built from others."""
        return frozenset(hook[1:] for hook in self.OWNED if hasattr(getattr(type(self), hook), "derived_hook"))


def _derive(hook: str) -> Any:
    derivation = DERIVED[hook]

    def derived(self: Metric, space: Manifold, *arguments: Any) -> Any:
        return derivation(space, *arguments)

    derived.derived_hook = hook  # type: ignore[attr-defined]
    return derived


class MetricManifold(Manifold):
    """A space whose metric is an object: the space writes what concerns the points, the metric all the rest.

    Parameters
    ----------
    dim : int
        Dimension.
    shape : tuple of int
        Trailing axes of a point.
    metric : Metric
        Owner of the verbs that depend on the metric.
    check : bool, default False
        As in :class:`Manifold`.

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import SPD, MetricManifold
    >>> space = SPD(2, metric="log_euclidean")
    >>> isinstance(space, MetricManifold), space.dist(torch.eye(2), 2.718281828459045 * torch.eye(2))
    (True, tensor(1.4142))
    """

    def __init__(self, dim: int, shape: tuple[int, ...], metric: Metric, *, check: bool = False) -> None:
        super().__init__(dim, shape, check=check)
        self.metric = metric

    def extra_repr(self) -> str:
        """Return the dimension and the metric."""
        return f"{self._dim}, metric={self.metric!r}"


def _forward(hook: str) -> Any:
    def forwarded(self: MetricManifold, *arguments: Any) -> Any:
        return getattr(cast(Metric, self._modules["metric"]), hook)(self, *arguments)

    return forwarded


for _hook in Metric.OWNED:
    setattr(MetricManifold, _hook, _forward(_hook))
