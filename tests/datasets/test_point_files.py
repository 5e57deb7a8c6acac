import numpy as np

from holonomy.datasets._point_files import unit_vectors


def test_unit_vectors_at_known_places():
    places = np.array([[0.0, 0.0], [0.0, 90.0], [90.0, 17.0], [-90.0, 0.0], [45.0, 180.0], [0.0, -90.0]])
    root = np.sqrt(0.5)
    expected = [[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, -1], [-root, 0, root], [0, -1, 0]]
    np.testing.assert_allclose(unit_vectors(places), expected, atol=1e-15)
