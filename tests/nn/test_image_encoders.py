import pytest
import torch

from holonomy.nn import ImageEncoder


@pytest.mark.parametrize(("size", "widths"), [(32, (8, 16, 32)), (28, (4, 8)), (33, (4,))])
def test_features_have_the_size_that_is_said(size, widths):
    encoder = ImageEncoder(3, size, widths)
    images = torch.rand(5, 3, size, size, generator=torch.Generator().manual_seed(0))
    assert encoder(images).shape == (5, encoder.out_features)


def test_a_row_does_not_depend_on_its_company_and_position_matters():
    encoder = ImageEncoder(1, 16, (4, 8)).double()
    images = torch.zeros(2, 1, 16, 16, dtype=torch.float64)
    images[0, 0, 2, 2] = images[1, 0, 12, 12] = 1.0
    both = encoder(images)
    torch.testing.assert_close(both[:1], encoder(images[:1]))
    assert not torch.allclose(both[0], both[1])


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="images must have shape"):
        ImageEncoder(3, 32)(torch.zeros(1, 3, 16, 16))
    with pytest.raises(ValueError, match="size must be at least 8"):
        ImageEncoder(3, 7)
    with pytest.raises(ValueError, match="n_channels"):
        ImageEncoder(0)
