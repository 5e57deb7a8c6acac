"""Encoders of images."""

import itertools
from collections.abc import Sequence

from torch import Tensor, nn

from holonomy._core.validation import check_int
from holonomy.nn._layers import check_widths


class ImageEncoder(nn.Module):
    """Features of small images: convolutions that halve the image, one for each width, and what is left, flattened.

    Position is kept to the end, which pose depends on. Batches are not normalised, so that a row does not depend on
    its company.

    Parameters
    ----------
    n_channels : int, default 3
        Channels of the images.
    size : int, default 32
        Rows and columns of the images.
    widths : sequence of int, default (32, 64, 128)
        Channels after each halving.

    Attributes
    ----------
    out_features : int
        Number of features of an image.

    Raises
    ------
    ValueError
        If a number is below 1, or the images are too small to be halved so often.

    Examples
    --------
    >>> import torch
    >>> from holonomy.nn import ImageEncoder
    >>> ImageEncoder(size=32, widths=(8, 16))(torch.zeros(5, 3, 32, 32)).shape
    torch.Size([5, 1024])
    """

    def __init__(self, n_channels: int = 3, size: int = 32, widths: Sequence[int] = (32, 64, 128)) -> None:
        super().__init__()
        self.n_channels = check_int(n_channels, "n_channels", minimum=1)
        channels = [self.n_channels, *check_widths(widths, "widths")]
        self.size = check_int(size, "size", minimum=2 ** len(widths))
        layers: list[nn.Module] = []
        left = self.size
        for before, after in itertools.pairwise(channels):
            layers += [nn.Conv2d(before, after, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
            left //= 2
        self.layers = nn.Sequential(*layers)
        self.out_features = channels[-1] * left**2

    def forward(self, images: Tensor) -> Tensor:
        """Return features (b, out_features) of images (b, n_channels, size, size)."""
        if images.ndim != 4 or images.shape[1:] != (self.n_channels, self.size, self.size):
            shape = f"(b, {self.n_channels}, {self.size}, {self.size})"
            raise ValueError(f"images must have shape {shape}, got {tuple(images.shape)}.")
        return self.layers(images).flatten(1)
