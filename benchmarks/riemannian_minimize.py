"""Problems with orthogonality and rank constraints, solved by holonomy and by pymanopt to the same gradient.

Trust regions solve the first two only: those of pymanopt 2.2.1 fail on matrices of fixed rank.
"""

from typing import Any

import numpy as np

from benchmarks.harness import Benchmark, Contender

SIZE, SUBSPACE = 400, 8
FRAME, COLUMNS = 200, 5
ROWS, ITEMS, RANK, SEEN = 200, 150, 5, 0.4
TOLERANCE, STEPS = 1e-5, 2000
WEIGHTS = np.arange(COLUMNS, 0.0, -1.0)


def prepare() -> None:
    """Write symmetric matrices, a matrix of low rank with its mask, and a start for each problem; all float64."""
    rng = np.random.default_rng(0)
    for name, n in (("subspace", SIZE), ("brockett", FRAME)):
        noise = rng.standard_normal((n, n)) / np.sqrt(n)
        np.save(f"{name}.npy", noise + noise.T)
    np.save("subspace_start.npy", np.linalg.qr(rng.standard_normal((SIZE, SUBSPACE)))[0])
    np.save("brockett_start.npy", np.linalg.qr(rng.standard_normal((FRAME, COLUMNS)))[0])
    np.save("truth.npy", rng.standard_normal((ROWS, RANK)) @ rng.standard_normal((RANK, ITEMS)))
    np.save("mask.npy", rng.random((ROWS, ITEMS)) < SEEN)


def load() -> dict[str, np.ndarray]:
    """Read the arrays."""
    names = ("subspace", "brockett", "subspace_start", "brockett_start", "truth", "mask")
    return {name: np.load(f"{name}.npy") for name in names}


def _functions(data: dict[str, np.ndarray]):
    """Return the three functions of tensors, the same for both libraries."""
    import torch

    A, B, truth = (torch.from_numpy(data[name]) for name in ("subspace", "brockett", "truth"))
    mask, weights = torch.from_numpy(data["mask"].astype(float)), torch.from_numpy(WEIGHTS)
    return {
        "subspace": lambda x: -(x * (A @ x)).sum(),
        "brockett": lambda x: -((x * (B @ x)).sum(0) * weights).sum(),
        "completion": lambda x: 0.5 * (mask * (x - truth)).square().sum(),
    }


SHAPES = {"subspace": (SIZE, SUBSPACE), "brockett": (FRAME, COLUMNS), "completion": (ROWS, ITEMS)}


def _flat(found: dict[str, np.ndarray]) -> np.ndarray:
    """Return the answers as one vector, which can be kept in a file."""
    return np.concatenate([answer.ravel() for answer in found.values()])


def _wanted(method: str) -> tuple[str, ...]:
    return ("subspace", "brockett") if method == "trust_region" else ("subspace", "brockett", "completion")


def _holonomy(data: dict[str, np.ndarray], method: str) -> np.ndarray:
    from holonomy.manifolds import FixedRank, Grassmann, Stiefel
    from holonomy.optim import minimize

    functions = _functions(data)
    matrices = FixedRank(ROWS, ITEMS, RANK)
    U, s, Vh = _first_matrix(data)
    problems = {
        "subspace": (Grassmann(SIZE, SUBSPACE), data["subspace_start"]),
        "brockett": (Stiefel(FRAME, COLUMNS, "euclidean"), data["brockett_start"]),
        "completion": (matrices, (U * s) @ Vh),
    }
    found = {}
    for name in _wanted(method):
        space, start = problems[name]
        found[name] = minimize(functions[name], space, start, method, gtol=TOLERANCE, max_iter=STEPS).x
    return _flat(found)


def _pymanopt(data: dict[str, np.ndarray], optimizer: str) -> np.ndarray:
    import pymanopt
    from pymanopt.manifolds import FixedRankEmbedded, Grassmann, Stiefel
    from pymanopt.optimizers import ConjugateGradient, TrustRegions

    functions = _functions(data)
    solver = {"conjugate_gradient": ConjugateGradient, "trust_region": TrustRegions}[optimizer]
    found = {}
    spaces = {
        "subspace": Grassmann(SIZE, SUBSPACE),
        "brockett": Stiefel(FRAME, COLUMNS),
        "completion": FixedRankEmbedded(ROWS, ITEMS, RANK),
    }
    for name in _wanted(optimizer):
        space, whole = spaces[name], functions[name]
        if name == "completion":
            cost = pymanopt.function.pytorch(space)(lambda u, s, vt, whole=whole: whole((u * s) @ vt))
            start = space_point(*_first_matrix(data))
        else:
            cost = pymanopt.function.pytorch(space)(whole)
            start = data[f"{name}_start"]
        run = solver(min_gradient_norm=TOLERANCE, max_iterations=STEPS, min_step_size=1e-14, verbosity=0)
        point = run.run(pymanopt.Problem(space, cost), initial_point=start).point
        found[name] = (point[0] * point[1]) @ point[2] if name == "completion" else point
    return _flat(found)


def space_point(u: np.ndarray, s: np.ndarray, vt: np.ndarray):
    """Return the three factors as the point that pymanopt works with."""
    from pymanopt.manifolds.fixed_rank import _FixedRankPoint

    return _FixedRankPoint(u, s, vt)


def _first_matrix(data: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the factors of the nearest matrix of the rank to what is seen."""
    U, s, Vh = np.linalg.svd(data["mask"] * data["truth"], full_matrices=False)
    return U[:, :RANK], s[:RANK], Vh[:RANK]


def holonomy_lbfgs(data: dict[str, np.ndarray]) -> np.ndarray:
    """L-BFGS, the default."""
    return _holonomy(data, "lbfgs")


def holonomy_cg(data: dict[str, np.ndarray]) -> np.ndarray:
    """Conjugate gradients."""
    return _holonomy(data, "conjugate_gradient")


def holonomy_tr(data: dict[str, np.ndarray]) -> np.ndarray:
    """Trust regions, on the first two problems."""
    return _holonomy(data, "trust_region")


def pymanopt_cg(data: dict[str, np.ndarray]) -> np.ndarray:
    """Conjugate gradients of pymanopt, which has no L-BFGS."""
    return _pymanopt(data, "conjugate_gradient")


def pymanopt_tr(data: dict[str, np.ndarray]) -> np.ndarray:
    """Trust regions of pymanopt, on the first two problems."""
    return _pymanopt(data, "trust_region")


def judge(flat: np.ndarray) -> dict[str, float]:
    """Return by how much the values exceed the least ones, and the relative error of the completed matrix."""
    data, found = load(), {}
    for name, shape in SHAPES.items():
        size = shape[0] * shape[1]
        if len(flat):
            found[name], flat = flat[:size].reshape(shape), flat[size:]
    values = np.linalg.eigvalsh(data["subspace"])[-SUBSPACE:]
    x = found["subspace"]
    frame = found["brockett"]
    best = (np.linalg.eigvalsh(data["brockett"])[-COLUMNS:][::-1] * WEIGHTS).sum()
    excesses = {
        "excess of the subspace": float(values.sum() - np.trace(x.T @ data["subspace"] @ x)),
        "excess of Brockett's function": float(best - (np.diag(frame.T @ data["brockett"] @ frame) * WEIGHTS).sum()),
    }
    if "completion" not in found:
        return excesses
    truth = data["truth"]
    return excesses | {
        "error of completion": float(np.linalg.norm(found["completion"] - truth) / np.linalg.norm(truth))
    }


def remark(_: list[dict[str, Any]]) -> str:
    """Say what bounds the figures, from a profile."""
    return (
        "What bounds ours: conjugate gradients evaluate the functions about 800 times in all. On the first two "
        "problems two fifths of the time are the functions and their derivatives by torch; the rest are dozens of "
        "operations on matrices of a few columns, each of which takes longer to start than to do. On the third, most "
        "are bases of the ranges of matrices and products with them; six matrices, known less well, are decomposed "
        "whole."
    )


BENCHMARK = Benchmark(
    title="Subspace (400 × 8), Brockett (200 × 5), completion (200 × 150, rank 5) to a gradient of 1e-5",
    contenders=(
        Contender("holonomy L-BFGS", "holonomy", holonomy_lbfgs),
        Contender("holonomy conjugate gradients", "holonomy", holonomy_cg),
        Contender("holonomy trust regions, first two", "holonomy", holonomy_tr),
        Contender("pymanopt conjugate gradients", "pymanopt", pymanopt_cg),
        Contender("pymanopt trust regions, first two", "pymanopt", pymanopt_tr),
    ),
    prepare=prepare,
    load=load,
    judge=judge,
    remark=remark,
)
