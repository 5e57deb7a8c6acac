"""Tangent coordinates of flags: how far one flag of orthogonal subspaces is turned against another."""

import itertools

import numpy as np
import torch

from holonomy.manifolds.flag import Flag
from holonomy.manifolds.grassmann import Grassmann
from holonomy.manifolds.polar import polar_factor

KINDS = ("log", "projector", "frame")


class FlagChart:
    """Coordinates around flags, for some of their subspaces and what is left of the space.

    A flag is an orthonormal basis (..., p, p) whose columns are grouped. The coordinates are the blocks
    ``beta_ab`` (q_a x q_b): how far subspace a turns towards subspace b, for every two of the chosen subspaces and for
    each of them with all others together, in this order, flattened.

    Parameters
    ----------
    sizes : tuple of int
        Dimensions of all subspaces, with sum p.
    which : tuple of int
        The subspaces looked at; not all of them, since the last one follows from the others.
    """

    def __init__(self, sizes: tuple[int, ...], which: tuple[int, ...]) -> None:
        starts = np.concatenate([[0], np.cumsum(sizes)])
        columns = [np.arange(starts[a], starts[a + 1]) for a in range(len(sizes))]
        self.sizes, self.which, self.p = sizes, which, int(starts[-1])
        self.groups = [columns[a] for a in which]
        self.rest = np.concatenate([columns[a] for a in range(len(sizes)) if a not in which])
        self.order = np.concatenate([*self.groups, self.rest])
        self.widths = tuple(len(group) for group in self.groups)
        rows, towards = [], []
        for a, b in self._pairs():
            i, j = np.meshgrid(a, b, indexing="ij")
            rows.append(i.ravel())
            towards.append(j.ravel())
        # Coordinate c says how column row[c] turns towards column towards[c] of the basis.
        self.row, self.towards = np.concatenate(rows), np.concatenate(towards)
        self.dim = len(self.row)

    def _pairs(self) -> list[tuple[np.ndarray, np.ndarray]]:
        inside = list(itertools.combinations(self.groups, 2))
        return inside + [(group, self.rest) for group in self.groups]

    def space(self) -> Flag | Grassmann:
        """Return the manifold of what is looked at."""
        if len(self.groups) == 1:
            return Grassmann(self.p, self.widths[0])
        return Flag(self.p, tuple(int(d) for d in np.cumsum(self.widths)))

    def coordinates(self, Q: np.ndarray, Q0: np.ndarray, kind: str) -> np.ndarray:
        """Return the coordinates (..., dim) around Q of the flags Q0, bases (..., p, p) with the same groups."""
        K = sum(self.widths)
        x = torch.from_numpy(np.ascontiguousarray(Q[..., self.order]))
        y = torch.from_numpy(np.ascontiguousarray(Q0[..., self.order[:K]]))
        if kind == "projector":
            turned = self._projector_turn(x, y)
        else:
            frame = x[..., :K]
            v = self.space().log(frame, y) if kind == "log" else self._aligned(frame, y) - frame
            # Entry (j, i): how column i moves along column j of the basis.
            turned = (x.mT @ v).mT
        place = np.empty(self.p, dtype=int)
        place[self.order] = np.arange(self.p)
        return turned.numpy()[..., place[self.row], place[self.towards]]

    def _aligned(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        blocks = zip(x.split(self.widths, -1), y.split(self.widths, -1), strict=True)
        return torch.cat([b @ polar_factor(b.mT @ a) for a, b in blocks], dim=-1)

    def _projector_turn(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """Return, for every two columns i and j of x, half of what the projectors of their groups move between them."""
        inside = x.mT @ y
        parts = [block @ block.mT for block in inside.split(self.widths, -1)]
        parts.append(torch.eye(self.p, dtype=x.dtype) - torch.stack(parts).sum(0))
        label = np.repeat(np.arange(len(parts)), [*self.widths, len(self.rest)])
        stacked = torch.stack(parts, dim=-3)
        i, j = np.meshgrid(np.arange(self.p), np.arange(self.p), indexing="ij")
        return 0.5 * (stacked[..., label[i], i, j] - stacked[..., label[j], i, j])

    def flag(self, Q: np.ndarray, coordinates: np.ndarray) -> np.ndarray:
        """Return the flags (..., p, p), columns in the order of Q's, at ``coordinates`` (..., dim) around Q."""
        turn = np.zeros((*coordinates.shape[:-1], self.p, self.p))
        turn[..., self.towards, self.row] = coordinates
        turn[..., self.row, self.towards] = -coordinates
        return Q @ torch.linalg.matrix_exp(torch.from_numpy(turn)).numpy()
