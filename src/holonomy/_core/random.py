"""One meaning of ``random_state`` for the whole library.

A seed is a 64-bit integer. Every consumer derives its own independent stream from the seed and a name, so that
adding a consumer never changes what another one draws.
"""

import hashlib
import numbers

import numpy as np

RandomState = int | np.integer | np.random.Generator | np.random.RandomState | None
"""What any ``random_state`` parameter accepts."""


def check_seed(random_state: RandomState) -> int:
    """Reduce any ``random_state`` to one 64-bit seed.

    Parameters
    ----------
    random_state : int, numpy Generator, numpy RandomState or None
        ``None`` draws fresh entropy from the operating system; generators are advanced by one draw.

    Returns
    -------
    int
        A seed in [0, 2**63).

    Raises
    ------
    ValueError
        If an integer seed is negative or needs more than 63 bits.
    TypeError
        If ``random_state`` is none of the accepted kinds.
    """
    if random_state is None:
        return int(np.random.SeedSequence().generate_state(1, np.uint64)[0] >> np.uint64(1))
    if isinstance(random_state, numbers.Integral) and not isinstance(random_state, bool):
        if not 0 <= int(random_state) < 2**63:
            raise ValueError(f"random_state must lie in [0, 2**63), got {random_state}.")
        return int(random_state)
    if isinstance(random_state, np.random.Generator):
        return int(random_state.integers(2**63, dtype=np.int64))
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(2**63 - 1, dtype=np.int64))
    raise TypeError(
        "random_state must be None, an integer, a numpy Generator or a numpy RandomState, "
        f"got {type(random_state).__name__}."
    )


def derive_seed(seed: int, *stream: str | int) -> int:
    """Return the seed of the independent stream named ``stream``, in [0, 2**63)."""
    # NumPy integers must name the same stream as Python's, and they print differently.
    name = (int(seed), *(part if isinstance(part, str) else int(part) for part in stream))
    digest = hashlib.blake2b(repr(name).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1


def generator(random_state: RandomState, *stream: str | int) -> np.random.Generator:
    """Return a counter-based generator for ``random_state`` and the stream named ``stream``."""
    return np.random.Generator(np.random.Philox(derive_seed(check_seed(random_state), *stream)))
