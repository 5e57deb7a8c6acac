"""Images as a data set: what training varies, and that it is repeatable."""

import numpy as np
import pytest
import torch

from holonomy.studies.head_pose import PoseImages, pose_from_angles, reference_regressor
from holonomy.studies.head_pose.images import PoseRecord

ANGLES = np.array([30.0, -20.0, 10.0])


def _record(image, box=None):
    options = {} if box is None else {"box": box}
    return PoseRecord("x", image, pose_from_angles(ANGLES), ANGLES, **options)


def _ramp():
    """Return an image whose red rises to the right."""
    return np.tile(np.linspace(0, 255, 64).astype(np.uint8)[None, :, None], (64, 1, 3))


def test_evaluation_takes_the_middle_in_the_units_of_imagenet():
    image = np.full((70, 80, 3), 255, np.uint8)
    value, R = PoseImages([_record(image)], size=56)[0]
    np.testing.assert_allclose(value[:, 3, 3], (1 - np.array([0.485, 0.456, 0.406])) / [0.229, 0.224, 0.225], rtol=1e-5)
    np.testing.assert_allclose(R, pose_from_angles(ANGLES), atol=1e-6)


def test_crops_beyond_the_image_are_black():
    data = PoseImages([_record(np.full((10, 10, 3), 255, np.uint8), lambda u: (-10, -10, 20, 20))], size=30)
    picture = np.asarray(data.picture(0))
    assert (picture[15, 15] == 255).all()
    assert (picture[0, 0] == 0).all()


def test_training_flips_image_and_pose_together_and_repeats_with_the_seed():
    data = PoseImages([_record(_ramp())], size=32, augment=True)
    seen = set()
    for seed in range(20):
        torch.manual_seed(seed)
        image, R = data[0]
        rises = bool(image[0, :, -1].mean() > image[0, :, 0].mean())
        straight = np.allclose(R.numpy(), pose_from_angles(ANGLES), atol=1e-6)
        mirrored = np.allclose(R.numpy(), pose_from_angles(ANGLES * [-1, 1, -1]), atol=1e-6)
        assert straight == rises
        assert mirrored != straight
        seen.add(straight)
        torch.manual_seed(seed)
        assert torch.equal(data[0][0], image)
    assert seen == {True, False}


def test_training_varies_the_crop_and_the_margin():
    widths = []
    data = PoseImages([_record(_ramp(), lambda u: widths.append(u) or (0, 0, 64, 64))], size=32, augment=True)
    values = {float(data[0][0].std()) for _ in range(10)}
    assert len(values) > 5
    assert len(set(widths)) == 10
    assert 0 <= min(widths) < max(widths) < 1


def test_the_published_recipe_trains_on_it():
    rng = np.random.default_rng(0)
    data = PoseImages(
        [_record(rng.integers(0, 255, (24, 24, 3), dtype=np.uint8)) for _ in range(6)], size=16, augment=True
    )
    backbone = torch.nn.Sequential(torch.nn.AvgPool2d(4), torch.nn.Flatten())
    model = reference_regressor(backbone, halving=True, n_epochs=12, random_state=0).fit(data)
    assert (model.learning_rate, model.batch_size, model.representation, model.loss) == (1e-4, 80, "6d", "geodesic")
    rates = [row["learning_rate"] for row in model.loss_history_]
    assert rates[0] == pytest.approx(2 * rates[-1])
    again = reference_regressor(backbone, halving=True, n_epochs=12, random_state=0).fit(data)
    calm = PoseImages(data.records, size=16)
    np.testing.assert_array_equal(model.predict(calm), again.predict(calm))


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="at least one labelled image"):
        PoseImages([])
    with pytest.raises(ValueError, match="size"):
        PoseImages([_record(_ramp())], size=0)
    with pytest.raises(ValueError, match="rotations"):
        PoseImages([PoseRecord("x", _ramp(), 2 * np.eye(3), ANGLES)])
