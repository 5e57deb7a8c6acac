"""Divided differences of scalar functions, of any order, without cancellation between close arguments."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

CLOSE = 0.1
"""Arguments within this part of the distance to the nearest singularity are expanded about their mean."""

TERMS = 12
"""Terms of that expansion: deviations are at most CLOSE / 2 of the radius, so what is left out is below 1e-13."""


class ScalarFunction(ABC):
    """A function of a real number to take of symmetric matrices, and to differentiate there any number of times."""

    @abstractmethod
    def value(self, x: Tensor) -> Tensor:
        """Return f(x)."""

    @abstractmethod
    def slope(self, x: Tensor, y: Tensor) -> Tensor:
        """Return (f(x) - f(y)) / (x - y), and f'(x) where they are equal."""

    @abstractmethod
    def coefficient(self, x: Tensor, order: int) -> Tensor:
        """Return the Taylor coefficient f^(order)(x) / order! for ``order >= 1``."""

    @abstractmethod
    def radius(self, x: Tensor) -> Tensor:
        """Return how far from x the Taylor series can be trusted: the distance to the nearest singularity."""


@dataclass(frozen=True)
class Log(ScalarFunction):
    """The natural logarithm."""

    def value(self, x: Tensor) -> Tensor:
        return torch.log(x)

    def slope(self, x: Tensor, y: Tensor) -> Tensor:
        low, ratio = _relative_gap(x, y)
        return _log1p_over(ratio) / low

    def coefficient(self, x: Tensor, order: int) -> Tensor:
        return (-1.0) ** (order + 1) / (order * x**order)

    def radius(self, x: Tensor) -> Tensor:
        return x.abs()


@dataclass(frozen=True)
class Log1p(ScalarFunction):
    """The function log(1 + x), to full relative precision near zero."""

    def value(self, x: Tensor) -> Tensor:
        return torch.log1p(x)

    def slope(self, x: Tensor, y: Tensor) -> Tensor:
        low = 1.0 + torch.minimum(x, y)
        return _log1p_over((x - y).abs() / low) / low

    def coefficient(self, x: Tensor, order: int) -> Tensor:
        return Log().coefficient(1.0 + x, order)

    def radius(self, x: Tensor) -> Tensor:
        return (1.0 + x).abs()


@dataclass(frozen=True)
class Exp(ScalarFunction):
    """The exponential."""

    def value(self, x: Tensor) -> Tensor:
        return torch.exp(x)

    def slope(self, x: Tensor, y: Tensor) -> Tensor:
        gap = -(x - y).abs()
        safe = torch.where(gap == 0, -torch.ones_like(gap), gap)
        return torch.exp(torch.maximum(x, y)) * torch.where(gap == 0, torch.ones_like(gap), torch.expm1(safe) / safe)

    def coefficient(self, x: Tensor, order: int) -> Tensor:
        return torch.exp(x) / math.factorial(order)

    def radius(self, x: Tensor) -> Tensor:
        return torch.ones_like(x)


@dataclass(frozen=True)
class Power(ScalarFunction):
    """The power ``x**exponent`` of positive numbers."""

    exponent: float

    def value(self, x: Tensor) -> Tensor:
        return torch.sqrt(x) if self.exponent == 0.5 else x**self.exponent

    def slope(self, x: Tensor, y: Tensor) -> Tensor:
        p = self.exponent
        if p == 0.5:
            return 1.0 / (x.sqrt() + y.sqrt())
        if p == -0.5:
            return -1.0 / (x.sqrt() * y + y.sqrt() * x)
        if p == -1.0:
            return -1.0 / (x * y)
        if p == 2.0:
            return x + y
        low, ratio = _relative_gap(x, y)
        growth = p * torch.log1p(ratio)
        safe = torch.where(growth == 0, torch.ones_like(growth), growth)
        quotient = torch.where(growth == 0, torch.ones_like(growth), torch.expm1(safe) / safe)
        return p * low ** (p - 1.0) * quotient * _log1p_over(ratio)

    def coefficient(self, x: Tensor, order: int) -> Tensor:
        binomial = math.prod((self.exponent - j) / (j + 1.0) for j in range(order))
        return binomial * x ** (self.exponent - order)

    def radius(self, x: Tensor) -> Tensor:
        return x.abs()


@dataclass(frozen=True)
class Elementwise(ScalarFunction):
    """Any smooth elementwise torch function; its derivatives come from autograd, exact near equal arguments.

    Arguments closer than ``width`` times the larger of their sizes and ``width`` are taken as close.
    """

    function: Callable[[Tensor], Tensor]
    width: float = 1e-2

    def value(self, x: Tensor) -> Tensor:
        return self.function(x)

    def slope(self, x: Tensor, y: Tensor) -> Tensor:
        gap = x - y
        close = gap.abs() <= self.width * torch.maximum(torch.maximum(x.abs(), y.abs()), torch.full_like(x, self.width))
        nodes, weights = _gauss_legendre(x)
        inside = y[..., None] + gap[..., None] * nodes
        mean = (self.coefficient(inside, 1) * weights).sum(-1)
        quotient = (self.function(x) - self.function(y)) / torch.where(close, torch.ones_like(gap), gap)
        return torch.where(close, mean, quotient)

    def coefficient(self, x: Tensor, order: int) -> Tensor:
        with torch.enable_grad():
            point = x.detach().requires_grad_()
            derivative = self.function(point)
            for step in range(1, order + 1):
                if not derivative.requires_grad:
                    return torch.zeros_like(x)
                (derivative,) = torch.autograd.grad(derivative.sum(), point, create_graph=True)
                derivative = derivative / step
        return derivative.detach()

    def radius(self, x: Tensor) -> Tensor:
        return self.width / CLOSE * torch.clamp_min(x.abs(), self.width)


def divided_difference(f: ScalarFunction, nodes: Tensor) -> Tensor:
    """Return the divided difference of f over the last axis of ``nodes`` (..., m), of order m - 1."""
    if nodes.shape[-1] <= 2:
        return _low_order(f, nodes)
    return _sorted_difference(f, nodes.sort(dim=-1).values)


def _low_order(f: ScalarFunction, nodes: Tensor) -> Tensor:
    return f.value(nodes[..., 0]) if nodes.shape[-1] == 1 else f.slope(nodes[..., 0], nodes[..., 1])


def _sorted_difference(f: ScalarFunction, nodes: Tensor) -> Tensor:
    if nodes.shape[-1] <= 2:
        return _low_order(f, nodes)
    gap = nodes[..., -1] - nodes[..., 0]
    center = nodes.mean(dim=-1)
    close = gap <= CLOSE * f.radius(center)
    difference = _sorted_difference(f, nodes[..., 1:]) - _sorted_difference(f, nodes[..., :-1])
    return torch.where(close, _expansion(f, nodes, center), difference / torch.where(close, torch.ones_like(gap), gap))


def _expansion(f: ScalarFunction, nodes: Tensor, center: Tensor) -> Tensor:
    """Return sum_j f^(m-1+j)(center) / (m-1+j)! h_j(nodes - center), h_j the complete homogeneous polynomials."""
    terms = 4 if isinstance(f, Elementwise) else TERMS
    deviation = nodes - center[..., None]
    power_sums = [(deviation**i).sum(-1) for i in range(1, terms)]
    homogeneous = [torch.ones_like(center)]
    for j in range(1, terms):
        homogeneous.append(torch.stack([homogeneous[j - i] * power_sums[i - 1] for i in range(1, j + 1)]).sum(0) / j)
    order = nodes.shape[-1] - 1
    return torch.stack([f.coefficient(center, order + j) * h for j, h in enumerate(homogeneous)]).sum(0)


def _relative_gap(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Return the smaller of two positive numbers, and how far the larger exceeds it relative to it."""
    low = torch.minimum(x, y)
    return low, (x - y).abs_().div_(low)


def _log1p_over(x: Tensor) -> Tensor:
    """Return log(1 + x) / x, and 1 at zero."""
    zero = x == 0
    return torch.log1p(x).div_(x.masked_fill(zero, 1.0)).masked_fill_(zero, 1.0)


def _gauss_legendre(like: Tensor) -> tuple[Tensor, Tensor]:
    """Return four nodes in [0, 1] and their weights."""
    nodes = like.new_tensor([0.06943184420297371, 0.33000947820757187, 0.6699905217924281, 0.9305681557970263])
    weights = like.new_tensor([0.17392742256872693, 0.32607257743127307, 0.32607257743127307, 0.17392742256872693])
    return nodes, weights
