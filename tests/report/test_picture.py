import base64
import io

import numpy as np
from PIL import Image

from holonomy.report.picture import HEIGHT, WIDTH, still_picture


def opened(address):
    kind, _, content = address.partition(",")
    assert kind == "data:image/png;base64"
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(content))).convert("RGBA")).astype(int)


def test_points_lie_where_they_lie_on_the_map():
    Z = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]])
    colors = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255]], dtype=np.uint8)
    picture = opened(still_picture(Z, colors, 8))
    assert picture.shape == (HEIGHT, WIDTH, 4)
    drawn = picture[..., 3] > 128
    for color, (x, y) in zip(colors.astype(int), Z, strict=True):
        where = np.argwhere(drawn & (np.abs(picture[..., :3] - color).max(axis=2) < 40)).mean(axis=0)
        np.testing.assert_allclose(
            (where[1] - WIDTH / 2, HEIGHT / 2 - where[0]), (np.array([x, y]) - 0.5) * HEIGHT / 1.09, atol=2
        )


def test_points_at_one_place():
    assert (opened(still_picture(np.zeros((3, 2)), np.zeros((3, 3), dtype=np.uint8), 4))[..., 3] > 0).sum() < 60
