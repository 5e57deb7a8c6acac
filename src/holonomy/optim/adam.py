"""Riemannian Adam and its relatives: AMSGrad, AdamNc and AdamW."""

from collections.abc import Iterable
from typing import Any, Unpack

import torch
from torch import Tensor, nn

from holonomy._core.validation import check_float
from holonomy.optim._rows import Rows
from holonomy.optim.riemannian import MotionOptions, RiemannianOptimizer


class RiemannianAdam(RiemannianOptimizer):
    """Adam on products of manifolds: momentum is transported, and each factor has one second moment.

    A manifold has no coordinates of its own, so what adapts is not each coordinate but each factor: a row of an
    embedding, a component of a product. Second moments are those of Riemannian lengths, and the method commutes with
    isometries. On flat parameters every coordinate is a factor, and it is ``torch.optim.Adam``.

    Parameters
    ----------
    params : Module or iterable
        What is optimised: see :class:`RiemannianOptimizer`.
    lr : float, default 1e-3
        About the length of a step, at least 0.
    betas : tuple of two floats, default (0.9, 0.999)
        How much of the momentum and of the second moment each step keeps, in [0, 1).
    eps : float, default 1e-8
        Added to the root of second moments, at least 0.
    weight_decay : float, default 0.0
        Pull towards the origin, at least 0: of the kind that ``decay`` says.
    amsgrad : bool, default False
        Whether steps are divided by the largest second moment so far.
    bias_correction : bool, default True
        Whether momentum and second moment, which start at 0, are divided by what they have of the whole.
    beta1_decay : float, default 1.0
        ``betas[0]`` of step t is multiplied by ``beta1_decay**(t - 1)``, in (0, 1]; proofs ask for less than 1. Their
        other condition, ``lr / sqrt(t)``, is a scheduler.
    **options
        Those all optimisers share, as keywords: see :class:`RiemannianOptimizer`.

    Raises
    ------
    TypeError
        As :class:`RiemannianOptimizer`.
    ValueError
        If a number is out of range.

    References
    ----------
    Becigneul & Ganea (2019), "Riemannian Adaptive Optimization Methods".
    Kingma & Ba (2015), "Adam: A Method for Stochastic Optimization".

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import Hyperboloid
    >>> from holonomy.optim import RiemannianAdam
    >>> space = Hyperboloid(2)
    >>> y = space.random_normal(50, random_state=0)
    >>> x = space.origin().requires_grad_()
    >>> optimizer = RiemannianAdam([x], lr=0.05, manifold=space)
    >>> for _ in range(200):
    ...     optimizer.zero_grad()
    ...     space.squared_dist(x, y).mean().backward()
    ...     optimizer.step()
    >>> bool(space.log(x, y).mean(0).norm() < 1e-3)
    True
    """

    _references: tuple[str, ...] = ("becigneul2019riemannian", "kingma2015adam")
    _vectors = ("exp_avg",)

    def __init__(
        self,
        params: nn.Module | Iterable[Any],
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
        *,
        bias_correction: bool = True,
        beta1_decay: float = 1.0,
        **options: Unpack[MotionOptions],
    ) -> None:
        own = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "amsgrad": amsgrad}
        own |= {"bias_correction": bias_correction, "beta1_decay": beta1_decay}
        super().__init__(params, own, **options)

    def _check_group(self, group: dict[str, Any]) -> None:
        super()._check_group(group)
        check_float(group["eps"], "eps", minimum=0.0)
        betas = group["betas"]
        if len(betas) != 2 or not all(0.0 <= check_float(beta, "betas") < 1.0 for beta in betas):
            raise ValueError(f"betas must be two numbers in [0, 1), got {betas}.")
        if not 0.0 < check_float(group["beta1_decay"], "beta1_decay") <= 1.0:
            raise ValueError(f"beta1_decay must be in (0, 1], got {group['beta1_decay']}.")

    def _state_names(self, group: dict[str, Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        return self._vectors, ("exp_avg_sq", "max_exp_avg_sq") if group["amsgrad"] else ("exp_avg_sq",)

    def _advance(self, group: dict[str, Any], rows: Rows, g: Tensor) -> tuple[Tensor, float | Tensor, Tensor | None]:
        m, v, t, lr = rows.state["exp_avg"], rows.state["exp_avg_sq"], rows.step, group["lr"]
        beta1, beta2 = self._betas(group, t)
        m.lerp_(g, rows.column(1 - beta1, m))
        rows.accumulate_(v, g, beta2, 1 - beta2)
        if group["amsgrad"]:
            largest = rows.state["max_exp_avg_sq"]
            torch.maximum(largest, v, out=largest)
            v = largest
        whole1, whole2 = self._corrections(group, t)
        over = v.sqrt() if whole2 is None else v.sqrt().div_(rows.column(whole2**0.5, v))
        return m, rows.column(lr if whole1 is None else lr / whole1, v), over.add_(group["eps"])

    def _betas(self, group: dict[str, Any], t: float | Tensor) -> tuple[Any, Any]:
        """Return what step t keeps of the momentum and of the second moment."""
        beta1, beta2 = group["betas"]
        fade = group["beta1_decay"]
        return beta1 if fade == 1 else beta1 * fade ** (t - 1), beta2

    def _corrections(self, group: dict[str, Any], t: float | Tensor) -> tuple[Any, Any]:
        """Return the sums of the weights of all gradients so far in the momentum and in the second moment."""
        if not group["bias_correction"]:
            return None, None
        beta1, beta2 = group["betas"]
        fade = group["beta1_decay"]
        left = beta1**t if fade == 1 else beta1**t * fade ** (0.5 * t * (t - 1))
        return 1 - left, 1 - beta2**t


class RiemannianAMSGrad(RiemannianAdam):
    """The algorithm RAMSGrad, whose regret on geodesically convex losses grows as the root of the number of steps.

    Second moments never fall, and nothing is corrected for starting at 0, as in the proof; ``RiemannianAdam(amsgrad=
    True)`` has the correction, and is ``torch.optim.Adam(amsgrad=True)`` on flat parameters.

    Parameters
    ----------
    params : Module or iterable
        What is optimised: see :class:`RiemannianOptimizer`.
    lr, betas, eps, weight_decay, beta1_decay : optional
        As in :class:`RiemannianAdam`.
    **options
        Those all optimisers share, as keywords: see :class:`RiemannianOptimizer`.

    Raises
    ------
    TypeError
        As :class:`RiemannianOptimizer`.
    ValueError
        If a number is out of range.

    References
    ----------
    Becigneul & Ganea (2019), "Riemannian Adaptive Optimization Methods".
    Reddi, Kale & Kumar (2018), "On the Convergence of Adam and Beyond".

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import SPD
    >>> from holonomy.optim import RiemannianAMSGrad
    >>> x = torch.eye(2).requires_grad_()
    >>> optimizer = RiemannianAMSGrad([x], lr=0.1, manifold=SPD(2))
    >>> RiemannianAMSGrad([x], lr=0.1, manifold=SPD(2)).manifold_of(x)
    SPD(2, metric=AffineInvariant())
    """

    _references = ("becigneul2019riemannian", "reddi2018convergence")

    def __init__(
        self,
        params: nn.Module | Iterable[Any],
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        *,
        beta1_decay: float = 1.0,
        **options: Unpack[MotionOptions],
    ) -> None:
        super().__init__(
            params, lr, betas, eps, weight_decay, True, bias_correction=False, beta1_decay=beta1_decay, **options
        )


class RiemannianAdamNc(RiemannianAdam):
    """The algorithm RAdamNc: Adam whose second moment is the mean of all squared lengths, so that it too converges.

    It keeps the part ``1 - 1 / t`` of it at step t, and its regret grows as the root of the number of steps.

    Parameters
    ----------
    params : Module or iterable
        What is optimised: see :class:`RiemannianOptimizer`.
    lr, eps, weight_decay, beta1_decay : optional
        As in :class:`RiemannianAdam`.
    beta1 : float, default 0.9
        How much of the momentum each step keeps, in [0, 1).
    **options
        Those all optimisers share, as keywords: see :class:`RiemannianOptimizer`.

    Raises
    ------
    TypeError
        As :class:`RiemannianOptimizer`.
    ValueError
        If a number is out of range.

    References
    ----------
    Becigneul & Ganea (2019), "Riemannian Adaptive Optimization Methods".

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import Sphere
    >>> from holonomy.optim import RiemannianAdamNc
    >>> x = Sphere(2).origin(4).requires_grad_()
    >>> optimizer = RiemannianAdamNc([x], lr=0.1, manifold=Sphere(2))
    >>> x[:, 1].sum().backward()
    >>> optimizer.step()
    >>> optimizer.state[x]["exp_avg_sq"]
    tensor([1., 1., 1., 1.])
    """

    def __init__(
        self,
        params: nn.Module | Iterable[Any],
        lr: float | Tensor = 1e-3,
        beta1: float = 0.9,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        *,
        beta1_decay: float = 1.0,
        **options: Unpack[MotionOptions],
    ) -> None:
        super().__init__(
            params, lr, (beta1, 0.0), eps, weight_decay, bias_correction=False, beta1_decay=beta1_decay, **options
        )

    def _betas(self, group: dict[str, Any], t: float | Tensor) -> tuple[Any, Any]:
        return super()._betas(group, t)[0], 1 - 1 / t


class RiemannianAdamW(RiemannianAdam):
    """Adam with decoupled decay: before a step points move the part ``lr * weight_decay`` of the way to the origin.

    On flat parameters it is ``torch.optim.AdamW``.

    Parameters
    ----------
    params : Module or iterable
        What is optimised: see :class:`RiemannianOptimizer`.
    lr, betas, eps, amsgrad : optional
        As in :class:`RiemannianAdam`.
    weight_decay : float, default 1e-2
        Pull towards the origin, at least 0.
    **options
        Those all optimisers share, as keywords: see :class:`RiemannianOptimizer`.

    Raises
    ------
    TypeError
        As :class:`RiemannianOptimizer`.
    ValueError
        If a number is out of range.

    References
    ----------
    Becigneul & Ganea (2019), "Riemannian Adaptive Optimization Methods".
    Loshchilov & Hutter (2019), "Decoupled Weight Decay Regularization".

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import PoincareBall
    >>> from holonomy.optim import RiemannianAdamW
    >>> x = torch.tensor([0.5, 0.0], requires_grad=True)
    >>> optimizer = RiemannianAdamW([x], lr=0.5, weight_decay=1.0, manifold=PoincareBall(2))
    >>> x.grad = torch.zeros(2)
    >>> optimizer.step()
    >>> PoincareBall(2).dist(torch.zeros(2), torch.tensor([0.5, 0.0])), PoincareBall(2).dist(torch.zeros(2), x.detach())
    (tensor(1.0986), tensor(0.5493))
    """

    _references = ("becigneul2019riemannian", "loshchilov2019decoupled")

    def __init__(
        self,
        params: nn.Module | Iterable[Any],
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        **options: Unpack[MotionOptions],
    ) -> None:
        if options.setdefault("decay", "decoupled") != "decoupled":
            raise ValueError("decay must be 'decoupled' here; RiemannianAdam has the coupled kind.")
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad, **options)
