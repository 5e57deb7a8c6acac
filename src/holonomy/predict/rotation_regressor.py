"""Rotations from images, points or rows of numbers."""

import os
from collections.abc import Callable
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_array, check_is_fitted

from holonomy._core.persistence import Persistent
from holonomy._core.random import RandomState, check_seed, derive_seed
from holonomy._core.validation import as_numpy, check_float, check_int


class RotationRegressor(Persistent, BaseEstimator):
    """A network that tells the rotation in which something is seen.

    An encoder, a head that puts out a rotation matrix, and the angle between that and the true one as loss. With the
    continuous representations the full range of rotations can be learned.

    Parameters
    ----------
    backbone : torch.nn.Module, optional
        From a batch of rows of X, as float32, to features (b, f); it is copied, not trained itself. By default a
        `PointNet` for points, an `ImageEncoder` for images, in units of their spread, and a perceptron for rows.
    representation : {"6d", "9d_svd", "10d", "quaternion", "euler", "axis_angle"}, default "6d"
        What the network puts out; see `RotationHead`.
    loss : {"geodesic", "chordal", "parameters", "likelihood"} or callable, default "geodesic"
        Angle between rotations; squared Frobenius norm of their difference; squared error of the numbers that stand for
        them (with ``bins``, cross-entropy and squared error of angles); minus the log density, with ``"9d_svd"`` and
        ``"10d"``, so that the network also learns how sure it is. A callable takes rotations and true rotations.
    hidden : int or sequence of int, optional
        Widths of rectified layers between features and numbers.
    bins, bin_degrees, order : default None, 3.0 and "zyx"
        Bins of Euler angles and the axes of these; see `RotationHead`.
    n_epochs : int, default 50
        Passes over the data.
    batch_size : int, default 64
        Rows in a batch.
    learning_rate : float, default 0.001
        Step of Adam.
    schedule : {None, "cosine"} or callable, default None
        Whether the step falls to 0 along a cosine; a callable makes a scheduler of torch for an optimizer, which
        advances every epoch.
    training_options : dict, optional
        Further options of training, e.g. ``{"ema_decay": 0.999, "precision": "bf16-mixed", "progress": True}``.
    random_state : int, Generator, RandomState or None, default None
        Seed.
    device : str, torch.device or None, default None
        Where to train; None takes a GPU where there is one. On the CPU, training uses one thread unless
        ``training_options`` has ``n_threads``, so that the result does not depend on it.

    Attributes
    ----------
    module_ : torch.nn.Module
        The trained network, on the CPU, with parts ``backbone`` and ``head``.
    kind_ : {"rows", "images", "points", "given"}
        What the rows of X were taken for; "given" with a backbone of the user's.
    input_shape_ : tuple of int
        Shape of a row of X.
    loss_history_ : list of dict
        The mean loss of each epoch.
    n_degenerate_ : int
        Outputs during training that left their rotation open, such as two parallel vectors; 0 is as it should be.

    Raises
    ------
    ValueError
        On bad data or parameters, naming what is wrong; a matrix that is no rotation by its index.

    References
    ----------
    Hempel, Abdelrahman & Al-Hamadi (2022), "6D rotation representation for unconstrained head pose estimation".

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.spatial.transform import Rotation
    >>> from holonomy.predict import RotationRegressor
    >>> R = Rotation.random(200, rng=0).as_matrix()
    >>> arrow = np.array([[1.0, 0.0, 0.0], [0.0, 0.5, 0.0]])
    >>> X = np.einsum("nij,pj->npi", R, arrow).reshape(200, 6)
    >>> model = RotationRegressor(n_epochs=30, random_state=0).fit(X, R)
    >>> model.predict(X[:2]).shape, model.score(X, R) > -0.2
    ((2, 3, 3), True)
    """

    _references = ("hempel2022sixd", "zhou2019continuity")
    _not_saved = ("module_",)

    def __init__(
        self,
        backbone: Any = None,
        *,
        representation: str = "6d",
        loss: str | Callable[..., Any] = "geodesic",
        hidden: Any = None,
        bins: int | None = None,
        bin_degrees: float = 3.0,
        order: str = "zyx",
        n_epochs: int = 50,
        batch_size: int = 64,
        learning_rate: float = 1e-3,
        schedule: str | Callable[..., Any] | None = None,
        training_options: dict[str, Any] | None = None,
        random_state: RandomState = None,
        device: Any = None,
    ) -> None:
        self.backbone = backbone
        self.representation = representation
        self.loss = loss
        self.hidden = hidden
        self.bins = bins
        self.bin_degrees = bin_degrees
        self.order = order
        self.n_epochs = n_epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.schedule = schedule
        self.training_options = training_options
        self.random_state = random_state
        self.device = device

    def fit(self, X: Any, y: Any = None) -> Self:
        """Train the network.

        Parameters
        ----------
        X : array-like of shape (n, ...), or torch Dataset
            Rows (n, d); square images (n, s, s) or (n, s, s, c); points (n, p, 3), or several sets of them in a row,
            (n, sets, p, 3); with a backbone, whatever it takes. A map-style data set yields pairs of a tensor and a
            rotation.
        y : array-like of shape (n, 3, 3), or scipy Rotation
            True rotations; None with a data set.

        Returns
        -------
        RotationRegressor
            The fitted estimator.
        """
        from holonomy.predict._rotation_fitting import trained

        self._check_parameters()
        self._seed = check_seed(self.random_state)
        data, first, n_rows = self._training_data(X, y)
        self.input_shape_ = tuple(first.shape)
        network = self._fresh(first)
        result = trained(self, network, data, n_rows)
        self.module_ = result.module.cpu().eval() if result.ema_module is None else result.ema_module.cpu().eval()
        self.loss_history_ = result.history
        self.n_degenerate_ = int(result.module.head.n_degenerate)  # type: ignore[union-attr, arg-type]
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Return the rotations of rows, each the same, to rounding, whatever other rows are in the call.

        Parameters
        ----------
        X : array-like of shape (m, ...), or torch Dataset
            As in `fit`.

        Returns
        -------
        ndarray of float32, shape (m, 3, 3)
        """
        return self._fitted().head.rotations(self._numbers(X)).numpy()

    def predict_distribution(self, X: Any) -> Any:
        """Return the distributions of the rotations of rows: how sure the network is.

        Parameters
        ----------
        X : array-like of shape (m, ...)
            As in `fit`.

        Returns
        -------
        MatrixFisher or Bingham
            A batch of m distributions, whose modes are what `predict` returns.

        Raises
        ------
        ValueError
            If the representation is neither ``"9d_svd"`` nor ``"10d"``.
        """
        return self._fitted().head.distribution(self._numbers(X))

    def score(self, X: Any, y: Any = None) -> float:
        """Return minus the median angle, in radians, between predicted and true rotations.

        Parameters
        ----------
        X : array-like of shape (m, ...), or torch Dataset
            As in `fit`.
        y : array-like of shape (m, 3, 3), or scipy Rotation
            True rotations; None with a data set.
        """
        import torch

        from holonomy.objectives import geodesic_loss

        predicted = torch.from_numpy(self.predict(X))
        matrices = torch.stack([X[i][1] for i in range(len(X))]) if y is None and _is_dataset(X) else y
        return -float(geodesic_loss(predicted, _rotations(matrices, len(predicted)), "none").median())

    def save(self, path: str | os.PathLike[str]) -> None:
        """Save this model without pickle; a backbone of the user's is saved as its weights.

        See `holonomy.load_model`; to restore a model with a backbone that was given, use `load` of this class with a
        module of the same architecture.
        """
        plain = self
        if self.backbone is not None:
            plain = _shallow_copy(self)
            plain.backbone = "given"
        Persistent.save(plain, path)

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, backbone: Any = None) -> Self:
        """Load a model that `save` has written.

        Parameters
        ----------
        path : str or path
            The file.
        backbone : torch.nn.Module, optional
            Of the architecture that was fitted, where it was not a default one.

        Raises
        ------
        ValueError
            If the file holds something else, or the weights do not fit.
        """
        model = super().load(path)
        if backbone is not None:
            if model.backbone != "given":
                raise ValueError("backbone cannot be given: the saved model has one of its own.")
            model.backbone = backbone
            model._rebuild()
        return model

    def _saved_state(self) -> dict[str, Any]:
        state = super()._saved_state()
        if hasattr(self, "module_"):
            state["_weights"] = {name: tensor.cpu() for name, tensor in self.module_.state_dict().items()}
        return state

    def _restore_state(self, state: dict[str, Any], version: int) -> None:
        super()._restore_state(state, version)
        if hasattr(self, "_weights") and self.backbone is None:
            self._rebuild()

    def _rebuild(self) -> None:
        import torch

        network = self._fresh(torch.zeros(self.input_shape_))
        try:
            network.load_state_dict(self._weights)
        except RuntimeError as error:
            raise ValueError(f"the saved weights do not fit the network: {error}") from error
        self.module_ = network.eval()
        del self._weights

    def _fitted(self) -> Any:
        check_is_fitted(self, "input_shape_")
        if not hasattr(self, "module_"):
            raise ValueError(
                "this model was fitted with a backbone of its user; load it with RotationRegressor.load(path, "
                "backbone=...) and a module of the same architecture."
            )
        return self.module_

    def _fresh(self, first: Any) -> Any:
        from holonomy.predict._rotation_network import kind_of, make_network

        self.kind_ = kind_of(first.shape) if self.backbone is None else "given"
        head = {
            "representation": self.representation,
            "hidden": self.hidden,
            "bins": self.bins,
            "bin_degrees": self.bin_degrees,
            "order": self.order,
        }
        return make_network(self.backbone, self.kind_, first, head, derive_seed(self._seed, "network"))

    def _training_data(self, X: Any, y: Any) -> tuple[Any, Any, int]:
        if _is_dataset(X):
            if y is not None:
                raise ValueError("y must be None with a data set, which yields the rotations itself.")
            return X, X[0][0], len(X)
        rows = _rows(X)
        return (rows, _rotations(y, len(rows))), rows[0], len(rows)

    def _numbers(self, X: Any) -> Any:
        import torch

        from holonomy._core.training.application import apply_in_blocks

        module, cpu, size = self._fitted(), torch.device("cpu"), self.batch_size
        if _is_dataset(X):
            blocks = (range(first, min(first + size, len(X))) for first in range(0, len(X), size))
            stacked = (torch.stack([X[i][0] for i in block]) for block in blocks)
            return torch.cat([apply_in_blocks(module.numbers, rows, size=size, device=cpu) for rows in stacked])
        rows = _rows(X)
        if tuple(rows.shape[1:]) != self.input_shape_:
            raise ValueError(f"X must hold rows of shape {self.input_shape_}, got {tuple(rows.shape[1:])}.")
        return apply_in_blocks(module.numbers, rows, size=size, device=cpu)

    def _check_parameters(self) -> None:
        from holonomy.predict._rotation_network import check_loss

        check_int(self.n_epochs, "n_epochs", minimum=1)
        check_int(self.batch_size, "batch_size", minimum=1)
        if check_float(self.learning_rate, "learning_rate", minimum=0.0) == 0.0:
            raise ValueError("learning_rate must be positive, got 0.")
        if self.schedule not in (None, "cosine") and not callable(self.schedule):
            raise ValueError(f"schedule must be None, 'cosine' or callable, got {self.schedule!r}.")
        check_loss(self.loss, self.representation)


def _is_dataset(X: Any) -> bool:
    from torch.utils.data import Dataset

    return isinstance(X, Dataset)


def _rows(X: Any) -> Any:
    """Return rows as a finite tensor; bytes stay bytes, everything else becomes float32."""
    import torch

    array = as_numpy(X)
    is_bytes = isinstance(array, np.ndarray) and array.dtype == np.uint8
    checked = check_array(
        array, allow_nd=True, ensure_2d=False, dtype=np.uint8 if is_bytes else np.float32, input_name="X"
    )
    if checked.ndim < 2:
        raise ValueError(f"X must have at least 2 axes, got shape {checked.shape}.")
    return torch.from_numpy(np.array(checked))


def _rotations(y: Any, n: int) -> Any:
    import torch

    from holonomy.manifolds import check_rotations

    if y is None:
        raise ValueError("y must hold the true rotations (n, 3, 3), got None.")
    matrices = y.as_matrix() if hasattr(y, "as_matrix") else as_numpy(y)
    R = torch.from_numpy(np.array(matrices, dtype=np.float32))
    check_rotations(R, "y")
    if R.ndim != 3 or len(R) != n:
        raise ValueError(f"y must have shape ({n}, 3, 3), one rotation for each row of X, got {tuple(R.shape)}.")
    return R


def _shallow_copy(model: RotationRegressor) -> RotationRegressor:
    import copy

    return copy.copy(model)
