"""Where tensors live: one meaning of ``device`` for the whole library."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch


def resolve_device(device: "str | torch.device | None" = None) -> "torch.device":
    """Turn what a user asked for into a device that exists.

    Parameters
    ----------
    device : {"auto", "cpu", "cuda", "cuda:0", ...}, torch.device or None, default None
        None and "auto" take the current GPU where there is one and the CPU elsewhere.

    Returns
    -------
    torch.device
        A GPU always carries its index, so that it compares equal to the ``device`` of the tensors on it.

    Raises
    ------
    ValueError
        If the device is neither the CPU nor a GPU, or this machine does not have it.
    TypeError
        If ``device`` is no text and no ``torch.device``.

    Examples
    --------
    >>> from holonomy._core.device import resolve_device
    >>> resolve_device("cpu")
    device(type='cpu')
    """
    import torch

    if device is None or device == "auto":
        return torch.device("cuda", torch.cuda.current_device()) if torch.cuda.is_available() else torch.device("cpu")
    asked = _parse(device)
    if asked.type == "cpu":
        return torch.device("cpu")
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if count == 0:
        build = "sees no GPU" if torch.version.cuda else "is a build without CUDA"
        raise ValueError(
            f"device={str(device)!r} asks for a GPU, but the installed torch {torch.__version__} {build}; "
            "pass device='cpu' or 'auto', or install torch for CUDA (https://pytorch.org/get-started)."
        )
    index = torch.cuda.current_device() if asked.index is None else asked.index
    if index >= count:
        raise ValueError(
            f"device={str(device)!r} asks for GPU {index}, but this machine has {count} (numbered from 0)."
        )
    return torch.device("cuda", index)


def _parse(device: Any) -> "torch.device":
    import torch

    if not isinstance(device, str | torch.device):
        raise TypeError(
            f"device must be 'auto', 'cpu', 'cuda', 'cuda:N' or a torch.device, got {type(device).__name__}."
        )
    try:
        asked = torch.device(device)
    except RuntimeError:
        asked = None
    if asked is None or asked.type not in ("cpu", "cuda"):
        raise ValueError(f"device must be 'auto', 'cpu', 'cuda' or 'cuda:N', got {str(device)!r}.")
    return asked
