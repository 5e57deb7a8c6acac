import pytest
import torch

from holonomy.nn import PointNet


def test_the_order_of_the_points_does_not_matter_and_repeats_do_not():
    encoder = PointNet(widths=(16, 32)).eval()
    points = torch.randn(4, 50, 3, generator=torch.Generator().manual_seed(0))
    features = encoder(points)
    assert features.shape == (4, encoder.out_features) == (4, 32)
    order = torch.randperm(50, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(encoder(points[:, order]), features)
    torch.testing.assert_close(encoder(torch.cat([points, points[:, :7]], 1)), features)
    torch.testing.assert_close(encoder(points[:, None]), features)


def test_sets_are_encoded_by_the_same_weights_side_by_side():
    encoder = PointNet(widths=(8,), n_sets=2, normalize=False)
    points = torch.randn(4, 2, 10, 3, generator=torch.Generator().manual_seed(0))
    first, second = encoder(points).chunk(2, dim=-1)
    other_first, other_second = encoder(points.flip(1)).chunk(2, dim=-1)
    torch.testing.assert_close(first, other_second)
    torch.testing.assert_close(second, other_first)


def test_features_are_normalised_over_the_batch_and_one_row_by_what_was_seen():
    torch.manual_seed(0)
    encoder = PointNet(widths=(8, 16))
    points = torch.randn(64, 30, 3, generator=torch.Generator().manual_seed(0))
    features = encoder(points)
    torch.testing.assert_close(features.mean(0), torch.zeros(16), rtol=0, atol=1e-5)
    torch.testing.assert_close(features.var(0, correction=0), torch.ones(16), rtol=1e-2, atol=0)
    for _ in range(100):
        encoder(points)
    torch.testing.assert_close(encoder(points[:1, :1])[0].isfinite().all(), torch.tensor(True))
    alone = encoder.pooled(torch.full((1, 16), 3.0))
    encoder.eval()
    torch.testing.assert_close(encoder.pooled(torch.full((1, 16), 3.0)), alone)
    torch.testing.assert_close(encoder(points), features, rtol=0.05, atol=0.05)
    for i in (0, 63):
        torch.testing.assert_close(encoder(points[i : i + 1])[0], encoder(points)[i])


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="points must have shape"):
        PointNet()(torch.zeros(2, 10, 4))
    with pytest.raises(ValueError, match="points must have shape"):
        PointNet(n_sets=2)(torch.zeros(2, 10, 3))
    with pytest.raises(ValueError, match="points must have shape"):
        PointNet()(torch.zeros(2, 0, 3))
    with pytest.raises(ValueError, match="widths must hold at least one"):
        PointNet(widths=())
    with pytest.raises(TypeError, match=r"widths\[1\]"):
        PointNet(widths=(8, 2.0))
    with pytest.raises(ValueError, match="n_inputs"):
        PointNet(0)
