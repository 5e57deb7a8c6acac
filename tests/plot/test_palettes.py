import itertools

import numpy as np
import pytest

from holonomy.plot.palettes import CLASSES, DISTINCT_CLASSES, class_colors, interpolated, sequence

# Full dichromacy in linear RGB: Machado, Oliveira and Fernandes (2009), severity 1.
VISION = {
    "normal": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
TO_CONES = np.array(
    [[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566],
     [0.0883024619, 0.2817188376, 0.6299787005]]
)  # fmt: skip
TO_LAB = np.array(
    [[0.2104542553, 0.7936177850, -0.0040720468], [1.9779984951, -2.4285922050, 0.4505937099],
     [0.0259040371, 0.7827717662, -0.8086757660]]
)  # fmt: skip


def oklab(colors, vision="normal"):
    srgb = np.array([[int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)] for color in colors])
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(linear @ np.array(VISION[vision]).T, 0, 1)
    return np.cbrt(seen @ TO_CONES.T) @ TO_LAB.T


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("vision", VISION)
def test_ten_classes_are_told_apart_with_any_colour_vision(dark, vision):
    lab = oklab(class_colors(10, dark=dark), vision)
    least = min(np.linalg.norm(a - b) for a, b in itertools.combinations(lab, 2))
    assert least > (0.087 if dark else 0.095)


@pytest.mark.parametrize(("dark", "page"), [(False, "#FFFFFF"), (True, "#151A1F")])
def test_ten_classes_stand_out_from_the_page(dark, page):
    lab, background = oklab(class_colors(10, dark=dark)), oklab([page])
    assert np.linalg.norm(lab - background, axis=1).min() > 0.2


def test_colours_are_all_different_up_to_thirty_and_repeat_beyond():
    assert DISTINCT_CLASSES == 30
    assert len(set(class_colors(30))) == 30
    colors = class_colors(500)
    assert len(colors) == 500
    assert colors[30:40] == list(CLASSES)


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("name", ["viridis", "cividis"])
def test_sequences_rise_in_lightness(name, dark):
    lightness = oklab(sequence(name, dark=dark))[:, 0]
    assert np.diff(lightness).min() > -0.001  # a channel is rounded to 8 bits
    assert lightness[-1] - lightness[0] > 0.3


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("vision", VISION)
def test_doubt_and_trust_are_far_apart_with_any_colour_vision(dark, vision):
    lab = oklab(sequence("doubt", dark=dark), vision)
    assert np.linalg.norm(lab[0] - lab[-1]) > 0.3
    assert np.linalg.norm(lab[64] - lab[-1]) > 0.15


def test_interpolation_keeps_the_ends():
    assert interpolated(["#000000", "#FFFFFF"], 3) == ["#000000", "#808080", "#FFFFFF"]
    assert interpolated(["#000000", "#FF0000", "#FFFFFF"], 2, 0.0, 0.5) == ["#000000", "#FF0000"]
