"""Encoders of sets of points, for which the order of the points does not matter."""

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from holonomy._core.validation import check_int
from holonomy.nn._layers import BatchNormalized, check_widths


class PointNet(nn.Module):
    """Features of sets of points: a network applied to every point, and the largest value of each of its outputs.

    Several sets in a row are encoded by the same weights, and their features put side by side, as for a pair of clouds
    whose relative pose is asked for.

    Parameters
    ----------
    n_inputs : int, default 3
        Coordinates of a point, and what else is known of it.
    widths : sequence of int, default (64, 128, 256)
        Widths of the layers that every point goes through; the last is the number of features.
    n_sets : int, default 1
        Sets in a row of the input.
    normalize : bool, default True
        Whether outputs of every layer, and the features, are normalised over the batch in training, and by what was
        seen then in evaluation. The largest values hardly vary from set to set, and training would be slow without.

    Attributes
    ----------
    out_features : int
        Number of features of a row.

    Raises
    ------
    ValueError
        If a number is below 1.

    References
    ----------
    Qi, Su, Mo & Guibas (2017), "PointNet: deep learning on point sets for 3D classification and segmentation".

    Examples
    --------
    >>> import torch
    >>> from holonomy.nn import PointNet
    >>> encoder = PointNet(widths=(16, 32), n_sets=2).eval()
    >>> points = torch.randn(5, 2, 100, 3)
    >>> encoder(points).shape, torch.allclose(encoder(points), encoder(points.flip(2)), atol=1e-6)
    (torch.Size([5, 64]), True)
    """

    _references = ("qi2017pointnet",)

    def __init__(
        self, n_inputs: int = 3, widths: Sequence[int] = (64, 128, 256), n_sets: int = 1, *, normalize: bool = True
    ) -> None:
        super().__init__()
        self.n_inputs = check_int(n_inputs, "n_inputs", minimum=1)
        self.n_sets = check_int(n_sets, "n_sets", minimum=1)
        layers: list[nn.Module] = []
        for before, after in itertools.pairwise([self.n_inputs, *check_widths(widths, "widths")]):
            layers += [nn.Linear(before, after), *[BatchNormalized(after)] * normalize, nn.ReLU()]
        self.each = nn.Sequential(*layers)
        self.out_features = self.n_sets * int(widths[-1])
        self.pooled = BatchNormalized(self.out_features) if normalize else nn.Identity()

    def forward(self, points: Tensor) -> Tensor:
        """Return features (b, n_sets * widths[-1]) of points (b, p, n_inputs), or (b, n_sets, p, n_inputs)."""
        sets = points.unsqueeze(1) if points.ndim == 3 and self.n_sets == 1 else points
        if sets.ndim != 4 or sets.shape[1] != self.n_sets or sets.shape[-1] != self.n_inputs or not sets.shape[2]:
            raise ValueError(
                f"points must have shape (b, {self.n_sets}, p, {self.n_inputs}) with p >= 1, got {tuple(points.shape)}."
            )
        return self.pooled(torch.amax(self.each(sets), dim=2).flatten(1))
