"""Euclidean neighbours on a CUDA device: candidates by blocks of matrix products there, measured again here."""

from typing import Any

import numpy as np

from holonomy._core.device import resolve_device
from holonomy._core.progress import progress
from holonomy.graphs._exact import Found, blocks, rank_candidates

SPARE = 16
"""Candidates beyond k, so that rounding on the device cannot lose a neighbour that is measured exactly afterwards."""


class DeviceSearch:
    """Brute-force search with torch; runs on the CPU where there is no other device."""

    def __init__(self, points: np.ndarray, device: Any = None) -> None:
        import torch

        self.points = points
        self.device = resolve_device(device)
        self.mean = points.mean(axis=0, dtype=np.float64)
        self.centred = torch.from_numpy((points - self.mean).astype(np.float32)).to(self.device)
        self.norms = (self.centred**2).sum(dim=1)

    def search(self, queries: np.ndarray, own: np.ndarray, k: int) -> Found:
        """Return the k nearest points of each query, leaving out the query's ``own`` index."""
        import torch

        n = len(self.points)
        n_candidates = min(k + 1 + SPARE, n)
        candidates = np.empty((len(queries), n_candidates), dtype=np.int32)
        with progress("Searching neighbours", total=len(queries)) as bar:
            for block in blocks(len(queries), n):
                centred = torch.from_numpy((queries[block] - self.mean).astype(np.float32)).to(self.device)
                values = torch.addmm(self.norms, centred, self.centred.T, alpha=-2)
                found = torch.topk(values, n_candidates, dim=1, largest=False).indices
                candidates[block] = found.sort(dim=1).values.cpu().numpy()
                bar.advance(block.stop - block.start)
        return rank_candidates(candidates, queries, self.points, own, k)
