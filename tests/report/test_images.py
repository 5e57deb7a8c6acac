import io

import numpy as np
import pytest
from PIL import Image

from holonomy.report.images import check_image_shape, make_sheets, pixels_of


def opened(sheet):
    return np.asarray(Image.open(io.BytesIO(sheet.tobytes())))


@pytest.mark.parametrize(
    ("shape", "reason"),
    [
        ((3, 4, 5), r"must be \(height, width\)"),
        ((12,), r"must be \(height, width\)"),
        ("no", r"must be \(height, width\)"),
        ((3, 5), "3 × 5 = 15, and a row has 12 numbers"),
    ],
)
def test_shapes_that_do_not_fit(shape, reason):
    with pytest.raises(ValueError, match=reason):
        check_image_shape(shape, 12)


def test_shapes_that_fit():
    assert check_image_shape([3, 4], 12) == (3, 4)
    assert check_image_shape(np.array([2, 2, 3]), 12) == (2, 2, 3)


def test_brightness_starts_at_nought_unless_something_is_negative():
    assert pixels_of(np.array([[0.5, 1.0]]), (1, 2)).tolist() == [[[128, 255]]]
    assert pixels_of(np.array([[-1.0, 1.0]]), (1, 2)).tolist() == [[[0, 255]]]
    assert pixels_of(np.zeros((1, 2)), (1, 2)).tolist() == [[[0, 0]]]


def test_large_images_are_reduced():
    assert pixels_of(np.ones((2, 100 * 200)), (100, 200)).shape == (2, 25, 50)


@pytest.mark.parametrize("depth", [(), (3,)])
def test_each_image_lies_at_its_place(depth):
    rng = np.random.default_rng(0)
    images = np.broadcast_to(rng.integers(0, 256, (70, 1, 1, *depth)), (70, 8, 8, *depth)).astype(np.uint8)
    sheets = make_sheets(images, np.arange(70))
    assert sheets.is_complete
    sheet = opened(sheets.sheets[0]).astype(int)
    assert sheet.shape == (24, 256, 3)
    for i in (0, 31, 32, 69):
        top, left = 8 * (i // 32), 8 * (i % 32)
        found = sheet[top + 2 : top + 6, left + 2 : left + 6].mean(axis=(0, 1))
        np.testing.assert_allclose(found, np.broadcast_to(images[i, 0, 0], 3), atol=40)


def test_a_budget_leaves_a_fair_choice():
    images = np.random.default_rng(0).integers(0, 256, (5000, 8, 8)).astype(np.uint8)
    sheets = make_sheets(images, np.arange(5000), budget=150_000)
    assert not sheets.is_complete
    assert 4 / 3 * sum(map(len, sheets.sheets)) <= 150_000
    assert 300 < len(sheets.rows) < 4000
    assert (np.diff(sheets.rows) > 0).all()
    assert abs(sheets.rows.mean() - 2500) < 300
