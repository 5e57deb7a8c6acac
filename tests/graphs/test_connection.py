import numpy as np
import pytest
from scipy import sparse

from holonomy._core.parallel import threads
from holonomy.graphs import Connection, TangentSpaces, gaussian, orientation, tangent_connection, tangent_spaces


def spiral_sphere(n):
    """Points spread evenly over the unit sphere along a golden spiral."""
    i = np.arange(n) + 0.5
    polar, azimuth = np.arccos(1 - 2 * i / n), np.pi * (1 + 5**0.5) * i
    return np.column_stack([np.cos(azimuth) * np.sin(polar), np.sin(azimuth) * np.sin(polar), np.cos(polar)])


def band(twists, n_around=60, n_across=5):
    """A strip closed after so many half turns: a cylinder for 0, a Moebius band for 1."""
    u = 2 * np.pi * np.arange(n_around) / n_around
    v = np.linspace(-0.25, 0.25, n_across)
    u, v = (part.ravel() for part in np.meshgrid(u, v, indexing="ij"))
    radius = 1 + v * np.cos(twists * u / 2)
    return np.column_stack(
        [radius * np.cos(u), radius * np.sin(u), v * np.sin(twists * u / 2 + (twists == 0) * np.pi / 2)]
    )


def connect(knn, X, k, dim=2, **kwargs):
    graph = knn(X, k)
    return tangent_connection(tangent_spaces(X, graph, dim=dim), gaussian(graph), **kwargs)


def rows_of(weights):
    return np.repeat(np.arange(weights.shape[0]), np.diff(weights.indptr))


def test_alignments_are_the_nearest_orthogonal_matrices(knn):
    connection = connect(knn, spiral_sphere(200), 8)
    bases, weights = connection.bases, connection.weights
    rng = np.random.default_rng(0)
    for edge in rng.choice(weights.nnz, 30, replace=False):
        i, j = rows_of(weights)[edge], weights.indices[edge]
        target = bases[i].T @ bases[j]
        best = np.linalg.norm(connection.alignments[edge] - target)
        for _ in range(20):
            other, _ = np.linalg.qr(rng.normal(size=(2, 2)))
            assert best <= np.linalg.norm(other - target) + 1e-12
        assert connection.agreement[edge] == pytest.approx(np.linalg.svd(target)[1].min())


def test_reverse_edges_carry_the_transpose_bit_for_bit(knn):
    connection = connect(knn, spiral_sphere(200), 8)
    numbers = {
        (i, j): e for e, (i, j) in enumerate(zip(rows_of(connection.weights), connection.weights.indices, strict=True))
    }
    for (i, j), edge in numbers.items():
        np.testing.assert_array_equal(connection.alignments[edge], connection.alignments[numbers[j, i]].T)


def test_holonomy_of_a_loop_on_the_sphere_is_the_area_it_encloses(knn):
    n = 120
    angles = 2 * np.pi * np.arange(n) / n
    for colatitude in (0.4, 0.9, np.pi / 2):
        loop = np.column_stack(
            [np.sin(colatitude) * np.cos(angles), np.sin(colatitude) * np.sin(angles), np.full(n, np.cos(colatitude))]
        )
        # Exact tangent spaces in arbitrary frames.
        rng = np.random.default_rng(1)
        bases = np.stack([np.linalg.svd(p[None])[2][1:].T @ np.linalg.qr(rng.normal(size=(2, 2)))[0] for p in loop])
        spaces = TangentSpaces(bases, np.ones((n, 2)), np.full(n, 2))
        ring = np.roll(np.eye(n), 1, axis=1) + np.roll(np.eye(n), -1, axis=1)
        holonomy = tangent_connection(spaces, ring).transport([*range(n), 0])
        area = 2 * np.pi * (1 - np.cos(colatitude))
        assert np.trace(holonomy) / 2 == pytest.approx(np.cos(area), abs=5e-3)
        assert np.linalg.det(holonomy) == pytest.approx(1.0)


def test_holonomy_of_a_flat_surface_is_trivial(knn):
    X = np.random.default_rng(0).normal(size=(80, 2)) @ np.random.default_rng(1).normal(size=(2, 5))
    connection = connect(knn, X, 8)
    neighbours = [
        connection.weights.indices[connection.weights.indptr[i] : connection.weights.indptr[i + 1]] for i in range(80)
    ]
    triangles = [(i, j, k) for i in range(20) for j in neighbours[i] for k in neighbours[j] if i in neighbours[k]]
    assert len(triangles) > 50
    for triangle in triangles:
        np.testing.assert_allclose(connection.transport([*triangle, triangle[0]]), np.eye(2), atol=1e-9)


@pytest.mark.parametrize(("twists", "expected"), [(0, True), (1, False), (2, True), (3, False)])
def test_bands_are_orientable_for_an_even_number_of_half_turns(knn, twists, expected):
    X = band(twists)
    connection = connect(knn, X, 8)
    around = np.arange(60) * 5 + 2
    loop = [*around, around[0]]
    assert np.linalg.det(connection.transport(loop)) == pytest.approx(1.0 if expected else -1.0)
    found = orientation(connection)
    assert found.is_orientable is expected
    assert (found.contradictions == 0) is expected


def test_special_alignments_are_rotations_between_frames_of_one_handedness(knn):
    X = spiral_sphere(400)
    connection = connect(knn, X, 8, group="special")
    np.testing.assert_allclose(np.linalg.det(connection.alignments), 1.0)
    outward = np.einsum("nd,nd->n", X, np.cross(connection.bases[:, :, 0], connection.bases[:, :, 1]))
    assert (np.sign(outward) == np.sign(outward[0])).all()


def test_special_alignment_of_a_moebius_band_is_refused(knn):
    with pytest.raises(ValueError, match=r"needs orientable data, but .* edges join frames of opposite"):
        connect(knn, band(1), 8, group="special")


def test_each_component_is_oriented_by_itself(knn):
    X = np.vstack([spiral_sphere(150), spiral_sphere(150) + 10])
    found = orientation(connect(knn, X, 7))
    assert found.is_orientable
    assert set(found.signs) == {1.0, -1.0}


def test_ambient_vectors_and_coefficients(knn):
    X = spiral_sphere(200)
    connection = connect(knn, X, 8)
    vectors = np.random.default_rng(0).normal(size=(200, 3, 4))
    fields = connection.from_ambient(vectors)
    assert fields.shape == (200, 2, 4)
    tangential = connection.to_ambient(fields)
    np.testing.assert_allclose(connection.from_ambient(tangential), fields, atol=1e-12)
    np.testing.assert_allclose(connection.to_ambient(fields[:, :, 1]), tangential[:, :, 1])


def test_same_bits_for_any_number_of_threads(knn, monkeypatch):
    monkeypatch.setattr("holonomy.graphs.connection.EDGES_AT_ONCE", 100)
    results = []
    for count in (1, 2):
        with threads(count):
            results.append(connect(knn, spiral_sphere(300), 8).alignments.tobytes())
    assert results[0] == results[1]


def test_bad_input(knn):
    X = spiral_sphere(100)
    graph = knn(X, 8)
    spaces, affinity = tangent_spaces(X, graph, dim=2), gaussian(graph)
    with pytest.raises(TypeError, match="spaces must be TangentSpaces"):
        tangent_connection(X, affinity)
    with pytest.raises(ValueError, match="one dimension at all points, at least 1, got 1 to 2"):
        tangent_connection(TangentSpaces(spaces.bases, spaces.variances, np.repeat([1, 2], 50)), affinity)
    with pytest.raises(ValueError, match="affinity must join the 100 points"):
        tangent_connection(spaces, affinity[:50][:, :50])
    with pytest.raises(ValueError, match="group must be one of"):
        tangent_connection(spaces, affinity, group="unitary")
    connection = tangent_connection(spaces, affinity)
    with pytest.raises(ValueError, match="no edge joins them"):
        connection.transport([0, 99])
    with pytest.raises(ValueError, match=r"path must lie in \[0, 100\)"):
        connection.transport([0, 100])
    with pytest.raises(ValueError, match="non-empty list"):
        connection.transport([0.5])
    with pytest.raises(ValueError, match=r"fields must have shape \(100, 2"):
        connection.to_ambient(np.ones((100, 3)))
    with pytest.raises(ValueError, match="vectors must have shape"):
        connection.from_ambient(np.ones((100, 2)))
    with pytest.raises(TypeError, match="must be a Connection"):
        orientation(affinity)


def test_given_connections_are_checked():
    edge = sparse.csr_array(np.array([[0.0, 1], [1, 0]]))
    turn = np.array([[0.0, -1], [1, 0]])
    assert Connection(edge, np.stack([turn, turn.T])).dim == 2
    with pytest.raises(ValueError, match="transposes of each other"):
        Connection(edge, np.stack([turn, turn]))
    with pytest.raises(ValueError, match="orthogonal"):
        Connection(edge, np.stack([2 * turn, 2 * turn.T]))
    with pytest.raises(ValueError, match=r"alignments must have shape \(2, m, m\)"):
        Connection(edge, turn)
    with pytest.raises(ValueError, match=r"agreement must have shape"):
        Connection(edge, np.stack([turn, turn.T]), np.ones(3))
    with pytest.raises(ValueError, match=r"bases must have shape"):
        Connection(edge, np.stack([turn, turn.T]), bases=np.ones((2, 3, 1)))
    with pytest.raises(ValueError, match="without bases"):
        Connection(edge, np.stack([turn, turn.T])).to_ambient(np.ones((2, 2)))
