"""Options that are more than a word: parameters of a method, shapes of images."""

import ast
import re
from collections.abc import Sequence
from typing import Any

WORDS = {"true": True, "false": False, "none": None}


def parameters_of(words: Sequence[str] | None) -> dict[str, Any]:
    """Return parameters from words such as ``min_dist=0.3``; values are Python literals, else texts.

    Raises
    ------
    ValueError
        If a word is not ``name=value``, or a name is given twice.

    Examples
    --------
    >>> from holonomy.cli.options import parameters_of
    >>> parameters_of(["min_dist=0.3", "init=pca", "n_epochs=none"])
    {'min_dist': 0.3, 'init': 'pca', 'n_epochs': None}
    """
    found: dict[str, Any] = {}
    for word in words or ():
        name, equals, text = word.partition("=")
        if not equals or not name.strip().isidentifier():
            raise ValueError(f"--params must be NAME=VALUE, such as min_dist=0.3, got {word!r}.")
        if name.strip() in found:
            raise ValueError(f"--params: {name.strip()!r} is given twice.")
        found[name.strip()] = _value(text.strip())
    return found


def shape_of(text: str | None) -> tuple[int, ...] | None:
    """Return the shape that ``28x28`` or ``32x32x3`` says.

    Raises
    ------
    ValueError
        If it says none.
    """
    if text is None:
        return None
    if not re.fullmatch(r"\d+[xX×]\d+([xX×]3)?", text.strip()):
        raise ValueError(f"--image-shape must be HEIGHTxWIDTH, such as 28x28, or 32x32x3 in colour; got {text!r}.")
    return tuple(int(side) for side in re.split("[xX×]", text.strip()))


def _value(text: str) -> Any:
    if text.lower() in WORDS:
        return WORDS[text.lower()]
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text
