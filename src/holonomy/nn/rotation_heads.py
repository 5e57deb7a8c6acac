"""The last layer of a network whose answer is a rotation."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from holonomy._core.validation import check_int, check_option
from holonomy.manifolds import Bingham, MatrixFisher
from holonomy.manifolds.rotation_conversions import ORDERS
from holonomy.manifolds.rotation_coordinates import tend_to_symmetric
from holonomy.nn._layers import check_widths, perceptron
from holonomy.nn._rotation_outputs import OUTPUTS
from holonomy.objectives.rotation_parameters import bin_centers


class RotationHead(nn.Module):
    """Rotations from features: a linear layer puts out numbers, which are made a rotation matrix.

    With ``"6d"``, ``"9d_svd"`` and ``"10d"`` what the network has to learn is continuous; with the others it has to
    learn a jump somewhere, and errs there. The two last of the continuous ones are also parameters of distributions,
    so that the network can say how sure it is.

    Parameters
    ----------
    in_features : int
        Number of features.
    representation : {"6d", "9d_svd", "10d", "quaternion", "euler", "axis_angle"}, default "6d"
        What the numbers mean: two columns made orthonormal by Gram-Schmidt; a matrix whose nearest rotation is taken; a
        symmetric matrix whose lowest eigenvector is the quaternion; a quaternion, which is normalised; three angles in
        radians; a rotation vector.
    hidden : int or sequence of int, optional
        Widths of rectified layers before the last one; none by default.
    bins : int, optional
        With ``"euler"``: the numbers are scores of so many bins of each of the three angles, and an angle is the
        expected one. 66 bins of 3 degrees reach from -99 to 99 degrees, 120 around the circle.
    bin_degrees : float, default 3.0
        Width of a bin.
    order : str, default "zyx"
        With ``"euler"``: the moving axes that the angles are about; see `euler_to_matrix`.

    Attributes
    ----------
    n_numbers : int
        How many numbers the last layer puts out.
    n_degenerate : Tensor of int64
        How many rows so far left their rotation open, such as two parallel vectors: what they were given is a rotation,
        but not the network's choice.

    Raises
    ------
    ValueError
        If there is no such representation, a number is out of range, or bins are asked for without ``"euler"``.

    References
    ----------
    Hempel, Abdelrahman & Al-Hamadi (2022), "6D rotation representation for unconstrained head pose estimation". Zhou,
    Barnes, Lu, Yang & Li (2019), "On the continuity of rotation representations in neural networks". Levinson et al.
    (2020), "An analysis of SVD for deep rotation estimation". Peretroukhin et al. (2020), "A smooth representation of
    belief over SO(3)". Ruiz, Chong & Rehg (2018), "Fine-grained head pose estimation without keypoints".

    Examples
    --------
    >>> import torch
    >>> from holonomy.nn import RotationHead
    >>> head = RotationHead(64, "6d")
    >>> R = head(torch.randn(5, 64))
    >>> R.shape, torch.allclose(R.mT @ R, torch.eye(3), atol=1e-6)
    (torch.Size([5, 3, 3]), True)
    """

    _references = ("hempel2022sixd", "zhou2019continuity")
    n_degenerate: Tensor
    centers: Tensor

    def __init__(
        self,
        in_features: int,
        representation: str = "6d",
        hidden: int | Sequence[int] | None = None,
        *,
        bins: int | None = None,
        bin_degrees: float = 3.0,
        order: str = "zyx",
    ) -> None:
        super().__init__()
        self.in_features = check_int(in_features, "in_features", minimum=1)
        self.representation = check_option(representation, "representation", OUTPUTS)
        self.bins, self.bin_degrees = bins, bin_degrees
        self.order = check_option(order, "order", ORDERS)
        if bins is not None:
            if representation != "euler":
                raise ValueError(f"bins belong to representation='euler', got {representation!r}.")
            self.register_buffer("centers", bin_centers(bins, bin_degrees), persistent=False)
        self.n_numbers = OUTPUTS[representation].width * (bins or 1)
        widths = [] if hidden is None else [hidden] if isinstance(hidden, int) else hidden
        between = check_widths(widths, "hidden") if widths else []
        self.layers = perceptron([self.in_features, *between, self.n_numbers])
        self.register_buffer("n_degenerate", torch.zeros((), dtype=torch.int64), persistent=False)

    def forward(self, features: Tensor) -> Tensor:
        """Return rotations (..., 3, 3) of features (..., in_features)."""
        return self.rotations(self.numbers(features))

    def numbers(self, features: Tensor) -> Tensor:
        """Return what the last layer puts out: (..., n_numbers), or scores of bins (..., 3, bins).

        In at least 32 bits, whatever precision the layers before compute in.
        """
        numbers = self.layers(features)
        numbers = numbers if numbers.dtype == torch.float64 else numbers.float()
        return numbers if self.bins is None else numbers.unflatten(-1, (3, self.bins))

    def rotations(self, numbers: Tensor) -> Tensor:
        """Return the rotations (..., 3, 3) that numbers stand for."""
        if self.bins is not None:
            numbers = (torch.softmax(numbers, dim=-1) * self.centers.to(numbers)).sum(-1)
        output = OUTPUTS[self.representation]
        self.n_degenerate += output.degenerate(numbers).sum().to(self.n_degenerate.device)
        return output.to_matrix(numbers, self.order) if self.representation == "euler" else output.to_matrix(numbers)

    def distribution(self, numbers: Tensor) -> Bingham | MatrixFisher:
        """Return the distributions that numbers (..., n_numbers) stand for, and whose modes are the rotations.

        Matrix-Fisher for ``"9d_svd"``, and Bingham for ``"10d"``.

        Raises
        ------
        ValueError
            For other representations, which have none.
        """
        if self.representation == "9d_svd":
            return MatrixFisher(numbers.unflatten(-1, (3, 3)))
        if self.representation == "10d":
            return Bingham(-tend_to_symmetric(numbers))
        raise ValueError(
            f"distribution needs representation='9d_svd' or '10d', got {self.representation!r}, whose numbers do not "
            "say how sure they are."
        )
