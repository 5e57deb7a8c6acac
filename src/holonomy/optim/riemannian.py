"""What the optimisers of the room share: parameters with manifolds, one step over all of them, and what is checked."""

from collections.abc import Callable, Iterable
from typing import Any, ClassVar, TypedDict, Unpack

import torch
from torch import Tensor, nn

from holonomy._core.validation import check_float, check_int, check_option
from holonomy.manifolds import Manifold
from holonomy.optim._motion import Motion, motion_of
from holonomy.optim._rows import Rows, Source, gather, moment_shape
from holonomy.optim.registration import named_manifolds


class MotionOptions(TypedDict, total=False):
    """The options that all optimisers share; see :class:`RiemannianOptimizer`."""

    manifold: Manifold | None
    decay: str
    step: str
    transport: str
    granularity: str
    stabilize_every: int | None
    reproject: bool
    maximize: bool
    foreach: bool | None


_DEFAULTS: dict[str, Any] = {
    "decay": "coupled",
    "step": "exp",
    "transport": "parallel",
    "granularity": "auto",
    "stabilize_every": None,
    "reproject": True,
    "maximize": False,
    "foreach": None,
}


class RiemannianOptimizer(torch.optim.Optimizer):
    """A torch optimiser whose parameters may live on manifolds; the base of those below, with the options they share.

    What works with ``torch.optim`` works here: parameter groups, schedulers, closures, hooks, ``GradScaler``, a
    ``state_dict`` of plain tensors and numbers, gradients from ``nn.Embedding(sparse=True)``. With sparse gradients
    only the rows they name move; the others keep momentum and second moments as they are, and every row counts its own
    steps, so that a row moves as if it were optimised alone.

    A subclass writes ``_vectors``, ``_moments`` and ``_advance``.

    Parameters
    ----------
    params : Module or iterable
        A module, whose :func:`register_manifold` says what lives where; or what torch takes: parameters, ``(name,
        parameter)`` pairs, or dicts of groups, which may have a ``"manifold"`` next to ``"params"``.
    defaults : dict
        Options of the method: at least ``lr`` and ``weight_decay``, the pull towards the manifold's origin.
    manifold : Manifold, optional
        Of all parameters whose group does not name one. Without any, that of :func:`register_manifold`, else flat
        space, in which the methods are those of ``torch.optim``.
    decay : {"coupled", "decoupled"}, default "coupled"
        To the gradient is added that of ``weight_decay / 2`` times the squared distance from the origin, or before each
        step points move the part ``lr * weight_decay`` of the geodesic to it.
    step : {"exp", "retract"}, default "exp"
        Along geodesics, or by the manifold's retraction.
    transport : {"parallel", "project"}, default "parallel"
        How momentum comes along: parallel, or projected to the new tangent space.
    granularity : {"auto", "factor", "point"}, default "auto"
        What has a second moment of its own, where the method has any: each factor of a product or power, and each
        coordinate of a flat one; each factor; or each point. Coordinates of a curved space never do: that would depend
        on the coordinates.
    stabilize_every : int, optional
        Project points, and momentum, to the manifold after so many steps of theirs.
    reproject : bool, default True
        Whether points are projected to the manifold as soon as a learnable curvature has changed.
    maximize : bool, default False
        Go up.
    foreach : bool, optional
        Move all parameters of one manifold together (True), each by itself (False), or together where they are small.

    Raises
    ------
    TypeError
        If ``manifold`` is no manifold, lacks a verb, or a parameter is complex.
    ValueError
        If an option is out of range, or a shape does not end with that of the manifold. In :meth:`step`: if a
        gradient holds NaN or infinity, or a parameter is off its manifold at its first step.

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import Sphere
    >>> from holonomy.optim import RiemannianOptimizer, RiemannianSGD
    >>> x = Sphere(2).random_uniform(random_state=0).requires_grad_()
    >>> optimizer = RiemannianSGD([x], lr=0.2, manifold=Sphere(2))
    >>> for _ in range(100):
    ...     optimizer.zero_grad()
    ...     x[0].backward()
    ...     optimizer.step()
    >>> x.detach().round(decimals=3) + 0.0, isinstance(optimizer, RiemannianOptimizer)
    (tensor([-1.,  0.,  0.]), True)
    """

    _vectors: ClassVar[tuple[str, ...]] = ()
    _moments: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self, params: nn.Module | Iterable[Any], defaults: dict[str, Any], **options: Unpack[MotionOptions]
    ) -> None:
        unknown = set(options) - {*_DEFAULTS, "manifold"}
        if unknown:
            raise TypeError(f"{type(self).__name__} has no option {', '.join(sorted(unknown))}.")
        self._manifold = options.pop("manifold", None)
        self._manifolds: dict[Tensor, Manifold | None] = {}
        self._curvatures: dict[Manifold, list[Tensor]] = {}
        groups: Iterable[Any] = params  # type: ignore[assignment]
        if isinstance(params, nn.Module):
            found = list(named_manifolds(params))
            self._manifolds = {parameter: manifold for _, parameter, manifold in found}
            groups = [(name, parameter) for name, parameter, _ in found]
        super().__init__(groups, {**_DEFAULTS, **options, **defaults})

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add parameters with options of their own, ``"manifold"`` among them.

        Raises
        ------
        TypeError
            As the constructor.
        ValueError
            As the constructor.
        """
        group = dict(param_group)
        named = group.pop("manifold", self._manifold)
        super().add_param_group(group)
        try:
            self._check_group(self.param_groups[-1])
            for number, parameter in enumerate(self.param_groups[-1]["params"]):
                own = self._manifolds.get(parameter) or getattr(parameter, "manifold", None)
                self._register(parameter, own if named is None else named, number)
        except Exception:
            self.param_groups.pop()
            raise

    def manifold_of(self, parameter: Tensor) -> Manifold | None:
        """Return the manifold of a parameter, None for flat space.

        Raises
        ------
        ValueError
            If the optimiser does not have the parameter.
        """
        if parameter not in self._manifolds:
            raise ValueError("parameter must be one that this optimiser has.")
        return self._manifolds[parameter]

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Move all parameters that have a gradient; returns what the closure, called first, returned.

        Raises
        ------
        ValueError
            If a gradient holds NaN or infinity, or a parameter is off its manifold at its first step. Parameters that
            were moved before it was found stay moved.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        self._follow_curvatures()
        for place, group in enumerate(self.param_groups):
            members = [self._member(p, place, n) for n, p in enumerate(group["params"]) if p.grad is not None]
            for rows in gather(members, group["foreach"]):
                self._move(group, rows)
        self._follow_curvatures()
        return loss

    @torch.no_grad()
    def stabilize(self) -> None:
        """Project all points to their manifolds, and their momentum to the tangent spaces."""
        for place, group in enumerate(self.param_groups):
            for number, parameter in enumerate(group["params"]):
                self._restore(parameter, place, number)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over options and state, as ``torch.optim``.

        Raises
        ------
        ValueError
            If groups do not match, or the shape of a state does not fit its parameter.
        """
        super().load_state_dict(state_dict)
        for place, group in enumerate(self.param_groups):
            for number, parameter in enumerate(group["params"]):
                self._check_state(parameter, place, number)

    def __getstate__(self) -> dict[str, Any]:
        kept = ("_manifold", "_manifolds")
        return {**super().__getstate__(), **{name: self.__dict__[name] for name in kept}, "_curvatures": {}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for manifold in {id(m): m for m in self._manifolds.values() if m is not None}.values():
            self._watch(manifold)

    def __repr__(self) -> str:
        lines = [f"{type(self).__name__} ("]
        for place, group in enumerate(self.param_groups):
            for number, parameter in enumerate(group["params"]):
                space = self._manifolds[parameter]
                where = "" if space is None else f" on {space}"
                lines.append(f"  {self._label(place, number)} {tuple(parameter.shape)}{where}")
            changed = [
                f"{name} {value}"
                for name, value in group.items()
                if name not in {"params", "param_names", "initial_lr"} and value != _DEFAULTS.get(name, False)
            ]
            lines.append(f"  {', '.join(changed)}")
        return "\n".join([*lines, ")"])

    def _advance(self, group: dict[str, Any], rows: Rows, g: Tensor) -> tuple[Tensor, float | Tensor, Tensor | None]:
        """Update the state with the Riemannian gradient; return u, size and over of the step ``-size u / over``."""
        raise NotImplementedError(f"{type(self).__name__} must write _advance.")

    def _state_names(self, group: dict[str, Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the names of vectors and moments that the options ask for."""
        return self._vectors, self._moments

    def _initial_moment(self, group: dict[str, Any]) -> float:
        return 0.0

    def _check_group(self, group: dict[str, Any]) -> None:
        """Check the options of a group."""
        for name in ("lr", "weight_decay"):
            _check_rate(group[name], name)
        check_option(group["decay"], "decay", ("coupled", "decoupled"))
        check_option(group["step"], "step", ("exp", "retract"))
        check_option(group["transport"], "transport", ("parallel", "project"))
        check_option(group["granularity"], "granularity", ("auto", "factor", "point"))
        if group["stabilize_every"] is not None:
            check_int(group["stabilize_every"], "stabilize_every", minimum=1)

    def _register(self, parameter: Tensor, manifold: Manifold | None, number: int) -> None:
        place, group = len(self.param_groups) - 1, self.param_groups[-1]
        label = self._label(place, number)
        if not parameter.is_floating_point():
            raise TypeError(f"params must be real floating-point tensors, and {label} is {parameter.dtype}.")
        if manifold is not None:
            _check_manifold(manifold, group)
            rank = len(manifold.shape)
            if parameter.ndim < rank or tuple(parameter.shape[parameter.ndim - rank :]) != manifold.shape:
                raise ValueError(
                    f"{label} must have a shape that ends with {manifold.shape} to live on {manifold}, "
                    f"got {tuple(parameter.shape)}."
                )
            self._watch(manifold)
        self._manifolds[parameter] = manifold

    def _watch(self, manifold: Manifold) -> None:
        """Remember the learnable parameters of a manifold, to see when they change."""
        if learnable := list(manifold.parameters()):
            self._curvatures[manifold] = [p.detach().clone() for p in learnable]

    def _label(self, place: int, number: int) -> str:
        names = self.param_groups[place].get("param_names")
        return names[number] if names else f"params[{number}] of group {place}"

    def _motion(self, parameter: Tensor, group: dict[str, Any]) -> Motion:
        return motion_of(self._manifolds[parameter], group["granularity"], group["step"], group["transport"])

    def _member(self, parameter: Tensor, place: int, number: int) -> tuple[Source, Motion, bool]:
        """Return a parameter with its state, which is created where it is missing."""
        group, state, manifold = self.param_groups[place], self.state[parameter], self._manifolds[parameter]
        motion, label = self._motion(parameter, group), self._label(place, number)
        vectors, moments = self._state_names(group)
        fresh = not all(name in state for name in ("step", *vectors, *moments))
        if "step" not in state:
            if manifold is not None and not torch.compiler.is_compiling():
                manifold.check_point(parameter.detach(), label)
            state["step"] = torch.zeros((), dtype=torch.float32)
        if fresh:
            for name in vectors:
                state.setdefault(name, torch.zeros_like(parameter, memory_format=torch.preserve_format))
            shape = moment_shape(motion, manifold, parameter)
            for name in moments:
                state.setdefault(name, parameter.new_full(shape, self._initial_moment(group)))
        gradient = parameter.grad
        if gradient is not None and gradient.is_sparse:
            points = parameter.ndim - (0 if manifold is None else len(manifold.shape))
            if gradient.sparse_dim() > points:
                raise ValueError(f"The sparse gradient of {label} must name whole points, got {gradient.sparse_dim()} "
                                 f"sparse axes where points have {points} leading axes.")  # fmt: skip
        return Source(parameter, label, manifold, state), motion, fresh

    def _move(self, group: dict[str, Any], rows: Rows) -> None:
        """Do one step of the rows."""
        motion, x = rows.motion, rows.points
        rows.check_finite()
        g, rows.lengths = motion.gradient(x, -rows.derivatives if group["maximize"] else rows.derivatives)
        strength, coupled = group["weight_decay"], group["decay"] == "coupled"
        if strength != 0 and coupled:
            g, rows.lengths = motion.add_decay(x, g, strength), None
        u, size, over = self._advance(group, rows, g)
        vectors = [rows.state[name] for name in self._state_names(group)[0]]
        if strength != 0 and not coupled:
            carried = vectors if any(u is vector for vector in vectors) else [*vectors, u]
            motion.decay_(x, carried, group["lr"] * strength)
        motion.move_(x, u, size, over, vectors)
        every = group["stabilize_every"]
        if every is not None and bool(torch.as_tensor(rows.step % every == 0).any()):
            motion.restore_(x, vectors)
        rows.store()

    def _restore(self, parameter: Tensor, place: int, number: int) -> None:
        group, state = self.param_groups[place], self.state[parameter]
        vectors = [state[name] for name in self._state_names(group)[0] if name in state]
        self._motion(parameter, group).restore_(parameter, vectors)

    def _follow_curvatures(self) -> None:
        """Bring the points back to manifolds whose learnable parameters are not what they were."""
        changed = {m for m, old in self._curvatures.items() if not all(map(torch.equal, m.parameters(), old))}
        if not changed:
            return
        for place, group in enumerate(self.param_groups):
            for number, parameter in enumerate(group["params"]):
                if group["reproject"] and self._manifolds[parameter] in changed:
                    self._restore(parameter, place, number)
        for manifold in changed:
            self._watch(manifold)

    def _check_state(self, parameter: Tensor, place: int, number: int) -> None:
        group, state = self.param_groups[place], self.state[parameter]
        vectors, moments = self._state_names(group)
        shape = moment_shape(self._motion(parameter, group), self._manifolds[parameter], parameter)
        for names, wanted in ((vectors, tuple(parameter.shape)), (moments, shape)):
            for name in names:
                if name in state and tuple(state[name].shape) != tuple(wanted):
                    raise ValueError(
                        f"state_dict holds {name} of shape {tuple(state[name].shape)} for "
                        f"{self._label(place, number)}, which needs {tuple(wanted)}: it comes from other parameters, "
                        "another manifold or another granularity."
                    )


def _check_rate(value: Any, name: str) -> None:
    check_float(float(value) if isinstance(value, Tensor) and value.numel() == 1 else value, name, minimum=0.0)


def _check_manifold(manifold: Any, group: dict[str, Any]) -> None:
    """Raise unless it is a manifold that writes what the options need and nothing derives."""
    if not isinstance(manifold, Manifold):
        raise TypeError(f"manifold must be a holonomy.manifolds.Manifold, got {type(manifold).__name__}.")
    needed = {"_project": "points are checked and stabilised"}
    if group["weight_decay"] != 0:
        needed["_origin"] = "weights decay towards it"
    for hook, use in needed.items():
        if not hasattr(type(manifold), hook):
            raise TypeError(f"{manifold} must write {hook}, with which {use}.")
