"""Parametric maps in files: the weights of their networks, without pickle."""

import copy
import os
from typing import Any, Self

from holonomy._core.persistence import Persistent


class SavedNetworks(Persistent):
    """A persistent estimator with ``encoder`` and ``decoder``, fitted as ``encoder_`` and ``decoder_``.

    Subclasses make fresh networks of the fitted architecture in ``_networks()``.
    """

    _not_saved = ("encoder_", "decoder_")
    encoder: Any
    decoder: Any
    encoder_: Any
    decoder_: Any
    _weights: Any

    def _networks(self) -> Any:
        raise NotImplementedError

    def save(self, path: str | os.PathLike[str]) -> None:
        """Save this model without pickle; networks given by the user are saved as their weights.

        See `holonomy.load_model`, which restores models with networks of their own; to restore one with given networks,
        use `load` of this class with modules of the same architecture.
        """
        plain = copy.copy(self)
        if self.encoder is not None:
            plain.encoder = "given"
        if self.decoder not in (None, False, True):
            plain.decoder = "given"
        Persistent.save(plain, path)

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, encoder: Any = None, decoder: Any = None) -> Self:
        """Load a model that `save` has written.

        Parameters
        ----------
        path : str or path
            The file.
        encoder, decoder : torch.nn.Module, optional
            Networks of the architecture that was fitted, where these were not the default ones.

        Raises
        ------
        ValueError
            If the file holds something else, or the weights do not fit the networks.
        """
        model = super().load(path)
        for name, module in (("encoder", encoder), ("decoder", decoder)):
            if module is not None:
                if getattr(model, name) != "given":
                    raise ValueError(f"{name} cannot be given: the saved model has one of its own.")
                setattr(model, name, module)
        if hasattr(model, "_weights"):
            model._rebuild()
        return model

    def _saved_state(self) -> dict[str, Any]:
        state = super()._saved_state()
        if hasattr(self, "encoder_"):
            weights = {name: tensor.cpu() for name, tensor in self._modules().state_dict().items()}
            state["_weights"] = weights
        return state

    def _restore_state(self, state: dict[str, Any], version: int) -> None:
        super()._restore_state(state, version)
        if "_weights" in state and "given" not in (self.encoder, self.decoder):
            self._rebuild()

    def _rebuild(self) -> None:
        """Make the networks and give them the weights that were saved."""
        networks = self._networks()
        try:
            networks.load_state_dict(self._weights)
        except RuntimeError as error:
            raise ValueError(f"the saved weights do not fit the networks: {error}") from error
        self._keep(networks)
        del self._weights

    def _encoder(self) -> Any:
        if not hasattr(self, "encoder_"):
            raise ValueError(
                f"this model was fitted with networks of its user; load it with {type(self).__name__}.load(path, "
                "encoder=...) and networks of the same architecture."
            )
        return self.encoder_

    def _modules(self) -> Any:
        from torch import nn

        self._encoder()
        parts = {"encoder": self.encoder_} | ({} if self.decoder_ is None else {"decoder": self.decoder_})
        return nn.ModuleDict(parts)

    def _keep(self, networks: Any) -> None:
        parts = dict(networks.cpu().eval().items())
        self.encoder_, self.decoder_ = parts["encoder"], parts.get("decoder")
