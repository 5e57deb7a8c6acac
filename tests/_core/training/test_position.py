from holonomy._core.training.position import accumulate, means


def test_means_are_weighted_and_names_may_come_and_go():
    sums = {}
    accumulate(sums, {"loss": 1.0}, 3.0)
    accumulate(sums, {"loss": 5.0, "late": 2.0}, 1.0)
    assert means(sums) == {"loss": 2.0, "late": 2.0}
