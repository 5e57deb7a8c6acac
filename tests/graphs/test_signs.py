import numpy as np

from holonomy.graphs._signs import orient


def test_largest_entry_becomes_positive():
    vectors = np.array([[1.0, -2.0, 0.0], [-3.0, 1.0, 0.0]])
    np.testing.assert_array_equal(orient(vectors, axis=0), [[-1, 2, 0], [3, -1, 0]])
    np.testing.assert_array_equal(orient(vectors, axis=1), [[-1, 2, 0], [3, -1, 0]])


def test_first_of_nearly_equal_entries_decides():
    for noise in (-1e-9, 1e-9):
        np.testing.assert_allclose(orient(np.array([[-1.0], [1.0 + noise]]), axis=0)[:, 0], [1, -1], atol=1e-8)


def test_sign_of_the_input_does_not_matter():
    vectors = np.random.default_rng(0).normal(size=(4, 5, 3))
    np.testing.assert_array_equal(orient(vectors, axis=1), orient(-vectors, axis=1))
