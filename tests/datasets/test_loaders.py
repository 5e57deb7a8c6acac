"""Every data set, from a mirror of tiny files; and from the real one where `HOLONOMY_DATA_MIRROR` names it."""

import dataclasses
import gzip
import hashlib
import io
import os
import struct
import zipfile

import numpy as np
import pytest
from scipy import sparse
from scipy.sparse import csgraph

from holonomy import datasets
from holonomy.datasets import _registry, load, names
from holonomy.datasets._fetch import find

GML = """Creator "nobody"
graph [
  node [ id 1 label "Ann" value {0} ]
  node [ id 2 label "Bob &amp; &lt;b&gt;" value {1} ]
  node [ id 7 label "Zo&#235;" value {0} ]
  edge [ source 1 target 2 value 3 ]
  edge [ source 2 target 7 ]
]
"""
MATRIX = "%%MatrixMarket matrix coordinate integer general\n3 3 3\n1 2 1\n3 2 2\n3 3 1\n"
PAJEK = (
    '*Network x\n*Vertices 2\n 1 "A" 0 0 0\n 2 "B" 0 0 0\n*Arcs\n 1 2 1\n*Edges\n\n'
    "*Partition y\n*Vertices 2\n 1900\n 1930\n"
)
CITIES = (
    "Country,City,Jan,Feb,Mar,Apr,May,Jun,Jul,Aug,Sep,Oct,Nov,Dec,Year,Latitude,Longitude,X,Y,Z\r\n"
    "Togo,Lom\x8e,1,1,1,1,1,1,1,1,1,1,1,1,1,0,90,0,0,0\r\n"
    "United Arab,Dubai,2,2,2,2,2,2,2,2,2,2,2,2,2,90,0,0,0,0\r\n"
    "Emirates,,-9,-9,-9,-9,-9,-9,-9,-9,-9,-9,-9,-9,-9,0,0,0,0,0\r\n"
)
AIR = "Date;Time;CO(GT);T;;\r\n10/03/2004;18.00.00;2,6;13,5;;\r\n11/03/2004;19.00.00;-200;12;;\r\n;;;;;\r\n;;;;;\r\n"
NOUNS = """  1 notice
00000001 05 n 01 mammal 0 000 | warm
00000002 05 n 01 dog 0 001 @ 00000001 n 0000 | barks
00000003 05 n 01 puppy 0 001 @ 00000002 n 0000 | young
00000004 06 n 01 rock 0 000 | hard
"""
INDEX = "  1 notice\n" + "".join(
    f"{lemma} n 1 0 1 0 0000000{number}\n" for number, lemma in enumerate(["mammal", "dog", "puppy", "rock"], start=1)
)
ANSWERS = {"polbooks": ("n", "c"), "adjnoun": (0, 1)}


def npz(**arrays):
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def idx(array):
    header = b"\0\0\x08" + bytes([array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return gzip.compress(header + array.astype(np.uint8).tobytes())


def tiny_files():
    """Return the content of a tiny stand-in for each registered file, by its path."""
    features, labels, archive = io.BytesIO(), io.BytesIO(), io.BytesIO()
    sparse.save_npz(features, sparse.csr_matrix(np.eye(4, 2)))
    np.save(labels, np.array([0, 1, 1, 0]))
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("wordnet/data.noun", NOUNS)
        file.writestr("wordnet/index.noun", INDEX)
    lineage = np.zeros((4, 7))
    lineage[:, 0] = [-1, 1, 2, 2]
    lineage[:, 1] = [0, -1, -3, 1]
    lineage[3, 2] = -2
    files = {
        "branching_diffusion/branching_diffusion.npz": npz(t0=np.eye(4, 50), t1=lineage),
        "climate/temperature.csv": CITIES.encode(),
        "earth/fire.csv": b"# note\n0,0\n-90,5\n",
        "earth/flood.csv": b"# note\r\nlat,long\r\n0,90\r\n45.5,-10\r\n",
        "earth/quakes_all.csv": b"# a\r\n# b\r\nLATITUDE,LONGITUDE\r\n0,90\r\n1,1\r\n",
        "earth/volerup.csv": b"# a\nLatitude,Longitude\n0,180\n-1,1",
        "graphs/cs_phds.txt": PAJEK.encode(),
        "graphs/football/football.mtx": MATRIX.encode(),
        "graphs/polblogs/polblogs.mtx": MATRIX.encode(),
        "graphs/polblogs/polblogs_labels.tsv": b"0\n1\n1\n",
        "graphs/power.txt": b"% sym\n% 3\n1 2\n2 4\n",
        "hgcn/airport/airport.npz": npz(
            features=np.array([[0, 0, 0, 1, 0.99], [0.5, 0.1, 0, 1, 1.0], [0, 0, 0, 1, 1.3]]),
            edges=np.array([[0, 1], [1, 2]]),
            node_ids=np.array(["10", "20", "30"]),
        ),
        "hgcn/disease_lp/disease_lp.edges.csv": b"0,1\n0,2\n2,3\n",
        "hgcn/disease_lp/disease_lp.feats.npz": features.getvalue(),
        "hgcn/disease_lp/disease_lp.labels.npy": labels.getvalue(),
        "timeseries/AirQualityUCI.csv": AIR.encode(),
        "torsion/rna.tsv": b"402d\tG\t-180\t90\t0\t1\t2\t3\t4\n1abc\tA\t10\t20\t30\t40\t50\t60\t180\n",
        "wordnet/wordnet.zip": archive.getvalue(),
        "wordnet/mammal_closure.csv": b"id1,id2,weight\npuppy,dog,1\npuppy,mammal,1\ndog,mammal,1\ndog,dog,1\n",
    }
    for path in _registry._registry()[1]:
        if path.endswith(".gml"):
            first, second = ANSWERS.get(path.split("/")[1], (0, 1))
            files[path] = GML.format(
                *(f'"{value}"' if isinstance(value, str) else value for value in (first, second))
            ).encode()
        elif path.endswith(".obj"):
            files[path] = b"v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n"
        elif path.endswith("idx3-ubyte.gz"):
            files[path] = idx(np.arange(60).reshape(5, 4, 3) * 4)
        elif path.endswith("idx1-ubyte.gz"):
            files[path] = idx(np.array([0, 9, 5, 5, 1]))
    return files


@pytest.fixture(scope="module")
def tiny_mirror(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mirror")
    for path, content in tiny_files().items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    return folder


@pytest.fixture
def mirror(tiny_mirror, tmp_path, monkeypatch):
    """Make the tiny mirror the mirror, and its files the registered ones; nothing else is to be had."""
    sets, files = _registry._registry()
    registered = {}
    for path, file in files.items():
        place = tiny_mirror / path
        sha256 = hashlib.sha256(place.read_bytes()).hexdigest() if place.exists() else file.sha256
        registered[path] = dataclasses.replace(
            file, sha256=sha256, installed="", urls=file.urls and ("http://127.0.0.1:9/",)
        )
    monkeypatch.setattr(_registry, "_registry", lambda: (sets, registered))
    monkeypatch.setenv("HOLONOMY_DATA_MIRROR", str(tiny_mirror))
    monkeypatch.setenv("HOLONOMY_DATA", str(tmp_path / "cache"))
    return tiny_mirror


LOCAL = [name for name in names() if name not in ("cora", "citeseer", "pbmc68k_reduced")]


@pytest.mark.parametrize("name", LOCAL)
def test_every_set_has_the_same_form(mirror, name):
    data = load(name)
    assert data.name == name
    assert len(data.DESCR) > 80
    n = data.X.shape[0] if "X" in data else data.adjacency.shape[0]
    if "X" in data:
        assert data.X.dtype in (np.float64, np.float32)
        assert data.X.shape == (n, len(data.feature_names))
        assert all(type(feature) is str for feature in data.feature_names)
    if "adjacency" in data:
        assert isinstance(data.adjacency, sparse.csr_array)
        assert data.adjacency.shape == (n, n)
        assert data.adjacency.dtype == np.float64
        assert data.adjacency.has_sorted_indices
    if "target" in data:
        assert data.target.shape == (n,)
    if "target_names" in data:
        assert data.target.dtype == np.int64
        assert data.target.min() >= 0
        assert data.target.max() < len(data.target_names)
    for values in data.get("metadata", {}).values():
        assert values.shape == (n,)


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist"])
def test_images(mirror, name):
    data = load(name)
    assert data.image_shape == (4, 3)
    np.testing.assert_array_equal(data.X, np.arange(60).reshape(5, 12) * 4)
    assert data.target.tolist() == [0, 9, 5, 5, 1]
    assert data.feature_names[4] == "pixel_1_1"
    assert load(name, split="train").X.shape == load(name, split="test").X.shape == (5, 12)


def test_splits_are_different_files():
    mnist = _registry.data_sets()["mnist"]
    assert not set(mnist.splits["test"]) & set(mnist.splits["train"])
    assert all("t10k" in path for path in mnist.splits["test"])
    assert next(iter(mnist.splits)) == "test"


def test_earth(mirror):
    np.testing.assert_allclose(load("earth_fires").X, [[1, 0, 0], [0, 0, -1]], atol=1e-15)
    assert load("earth_floods").location.tolist() == [[0, 90], [45.5, -10]]
    assert load("earth_quakes").metadata["longitude"].tolist() == [90, 1]
    np.testing.assert_allclose(load("earth_volcanoes").X[0], [-1, 0, 0], atol=1e-15)


def test_weighted_undirected_graph_with_names(mirror):
    data = load("lesmis")
    np.testing.assert_array_equal(data.adjacency.toarray(), [[0, 3, 0], [3, 0, 1], [0, 1, 0]])
    assert data.node_names.tolist() == ["Ann", "Bob & <b>", "Zoë"]


def test_classes_of_nodes(mirror):
    books = load("polbooks")
    assert books.target_names[books.target].tolist() == ["neutral", "conservative", "neutral"]
    words = load("adjnoun")
    assert words.target_names[words.target].tolist() == ["adjective", "noun", "adjective"]


def test_directed_graphs_stay_directed(mirror):
    np.testing.assert_array_equal(load("football").adjacency.toarray(), [[0, 1, 0], [0, 0, 0], [0, 2, 1]])
    blogs = load("polblogs")
    assert blogs.target_names[blogs.target].tolist() == ["liberal", "conservative", "conservative"]
    advisers = load("cs_phds")
    assert advisers.adjacency.toarray().tolist() == [[0, 1], [0, 0]]
    assert advisers.target.tolist() == [1900, 1930]


def test_power_counts_from_one(mirror):
    assert load("power").adjacency.nonzero()[0].tolist() == [0, 1, 1, 3]


def test_airport(mirror):
    data = load("airport")
    assert data.target.tolist() == [0, 1, 3]
    assert data.X.shape == (3, 4)
    assert data.node_names.tolist() == ["10", "20", "30"]


def test_disease_is_a_tree(mirror):
    data = load("disease")
    assert data.adjacency.nnz == 2 * (data.adjacency.shape[0] - 1)
    assert data.target_names[data.target].tolist() == ["not infected", "infected", "infected", "not infected"]


def test_branching_diffusion(mirror):
    data = load("branching_diffusion")
    assert data.target.tolist() == [0, 1, 1, 2]
    assert data.node.tolist() == [0, 1, 2, 5]
    assert data.path[:, :2].tolist() == [[0, 0], [1, 0], [2, 0], [2, 1]]


def test_city_temperatures_are_mended(mirror):
    data = load("city_temperatures")
    assert data.metadata["city"].tolist() == ["Lomé", "Dubai"]
    assert data.metadata["country"].tolist() == ["Togo", "United Arab Emirates"]
    np.testing.assert_allclose(data.unit_vectors, [[0, 1, 0], [0, 0, 1]], atol=1e-15)
    assert data.target.tolist() == [1, 2]


def test_torsions_in_radians_and_degrees(mirror):
    data = load("rna_torsions")
    assert data.X[0, 0] == -np.pi
    np.testing.assert_allclose(np.degrees(data.X), data.degrees)
    assert data.target_names[data.target].tolist() == ["G", "A"]
    assert data.metadata["structure"].tolist() == ["402d", "1abc"]


def test_air_quality_marks_what_is_missing(mirror):
    data = load("air_quality")
    np.testing.assert_array_equal(data.X, [[2.6, 13.5], [np.nan, 12.0]])
    assert data.feature_names == ["CO(GT)", "T"]
    assert data.time.tolist() == [
        np.datetime64("2004-03-10T18:00:00").item(),
        np.datetime64("2004-03-11T19:00:00").item(),
    ]
    complete = load("air_quality", complete=True)
    assert complete.X.tolist() == [[2.6, 13.5]]
    assert complete.time.shape == complete.metadata["time"].shape == (1,)


def edges(data, matrix):
    rows, columns = data[matrix].nonzero()
    return {
        (str(data.node_names[row]), str(data.node_names[column])) for row, column in zip(rows, columns, strict=True)
    }


def test_wordnet(mirror):
    nouns = load("wordnet_nouns")
    assert nouns.node_names.tolist() == ["mammal.n.01", "dog.n.01", "puppy.n.01", "rock.n.01"]
    assert edges(nouns, "adjacency") == {("dog.n.01", "mammal.n.01"), ("puppy.n.01", "dog.n.01")}
    assert edges(nouns, "closure") == edges(nouns, "adjacency") | {("puppy.n.01", "mammal.n.01")}
    mammals = load("wordnet_mammals")
    assert mammals.node_names.tolist() == ["mammal.n.01", "dog.n.01", "puppy.n.01"]
    assert edges(mammals, "closure") == edges(nouns, "closure")


def test_wordnet_from_the_files_of_an_installation(mirror, monkeypatch, tmp_path):
    registered = _registry._registry()[1]
    for name, content in (("data", NOUNS), ("index", INDEX)):
        place, path = tmp_path / f"{name}.noun", f"wordnet/{name}.noun"
        place.write_text(content)
        checksum = hashlib.sha256(content.encode()).hexdigest()
        registered[path] = dataclasses.replace(registered[path], sha256=checksum, installed=str(place))
    monkeypatch.setitem(registered, "wordnet/wordnet.zip", None)
    assert load("wordnet_nouns").closure.nnz == 3


def test_mammals_from_pairs_of_names_warn(mirror, monkeypatch, tmp_path):
    (tmp_path / "wordnet").mkdir()
    (tmp_path / "wordnet/mammal_closure.csv").write_bytes((mirror / "wordnet/mammal_closure.csv").read_bytes())
    monkeypatch.setenv("HOLONOMY_DATA_MIRROR", str(tmp_path))
    with pytest.warns(UserWarning, match="one node here"):
        mammals = load("wordnet_mammals")
    assert edges(mammals, "closure") == {("puppy", "dog"), ("puppy", "mammal"), ("dog", "mammal")}
    assert edges(mammals, "adjacency") == {("puppy", "dog"), ("dog", "mammal")}
    with pytest.raises(ConnectionError, match="wordnet-base"):
        load("wordnet_nouns")


def test_cells(tmp_path, monkeypatch):
    anndata = pytest.importorskip("anndata")
    pandas = pytest.importorskip("pandas")
    obs = pandas.DataFrame(
        {
            "bulk_labels": pandas.Categorical(["T", "B", "T"]),
            "n_genes": [5, 6, 7],
            "phase": pandas.Categorical(["G1", "S", "S"]),
        },
        index=["a", "b", "c"],
    )
    anndata.AnnData(np.eye(3, 2, dtype=np.float32), obs=obs).write_h5ad(tmp_path / "cells.h5ad")
    monkeypatch.setattr("holonomy.datasets._single_cell.fetch", lambda path: tmp_path / "cells.h5ad")
    data = load("pbmc68k_reduced")
    assert data.target_names[data.target].tolist() == ["T", "B", "T"]
    assert data.metadata["phase"].tolist() == ["G1", "S", "S"]
    assert data.metadata["n_genes"].tolist() == [5, 6, 7]
    assert datasets.as_table(data).label == "target"


def test_a_changed_file_is_refused(mirror, monkeypatch, tmp_path):
    (tmp_path / "graphs").mkdir()
    (tmp_path / "graphs/power.txt").write_text("1 2\n")
    monkeypatch.setenv("HOLONOMY_DATA_MIRROR", str(tmp_path))
    with pytest.raises(ValueError, match=r"graphs/power\.txt is not the registered file"):
        load("power")


def test_a_set_without_public_source_says_so(mirror, monkeypatch, tmp_path):
    monkeypatch.setenv("HOLONOMY_DATA_MIRROR", str(tmp_path))
    with pytest.raises(FileNotFoundError, match=r"airport\.npz has no public download: it was made from a pickle"):
        load("airport")


@pytest.mark.parametrize("name", ["digits", "iris", "wine", "breast_cancer", "diabetes"])
def test_embedded_sets(name):
    source = getattr(pytest.importorskip("sklearn.datasets"), f"load_{name}")()
    data = load(name)
    np.testing.assert_array_equal(data.X, source.data)
    np.testing.assert_array_equal(data.target, source.target)
    assert data.get("image_shape") == ((8, 8) if name == "digits" else None)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("mnits", "Did you mean 'mnist'"),
        ("Iris", "Did you mean 'iris'"),
        (
            "wordnet",
            "Did you mean 'wordnet_nouns' or 'wordnet_mammals'|Did you mean 'wordnet_mammals' or 'wordnet_nouns'",
        ),
        ("", r"See holonomy\.datasets\.names"),
        ("../../etc/passwd", r"no data set called '../../etc/passwd'"),
        ("цветы\n<script>", "no data set called"),
    ],
)
def test_unknown_name(name, message):
    with pytest.raises(ValueError, match=message):
        load(name)


def test_name_must_be_a_string():
    with pytest.raises(TypeError, match="name must be a string, got 3 of type int"):
        load(3)


def test_options_belong_to_their_sets():
    with pytest.raises(ValueError, match="'iris' has no splits, got split='train'"):
        load("iris", split="train")
    with pytest.raises(ValueError, match="split must be one of 'test', 'train', got 'validation'"):
        load("mnist", split="validation")
    with pytest.raises(ValueError, match="complete belongs to 'air_quality'"):
        load("power", complete=True)


# The real files.

real = pytest.mark.skipif(
    not os.environ.get("HOLONOMY_DATA_MIRROR"), reason="HOLONOMY_DATA_MIRROR does not name a folder with the real files"
)

REAL = {
    "adjnoun": (112, 2 * 425),
    "airport": (3188, 2 * 18630),
    "cs_phds": (1025, 1043),
    "disease": (2665, 2 * 2664),
    "dolphins": (62, 2 * 159),
    "football": (35, 118),
    "karate": (34, 2 * 78),
    "lesmis": (77, 2 * 254),
    "polblogs": (1490, 19025),
    "polbooks": (105, 2 * 441),
    "power": (4941, 2 * 6594),
}


@real
@pytest.mark.parametrize("name", REAL)
def test_real_graph(name):
    adjacency = load(name).adjacency
    assert (adjacency.shape[0], adjacency.nnz) == REAL[name]
    is_directed = name in ("cs_phds", "football", "polblogs")
    assert (abs(adjacency - adjacency.T).nnz > 0) == is_directed


@real
def test_real_graphs_are_what_they_are_called():
    blogs = load("polblogs")
    links = (blogs.adjacency > 0).astype(int)
    assert links.sum(axis=0).max() == 337
    assert links.sum(axis=1).max() == 256
    same_side = blogs.target[links.nonzero()[0]] == blogs.target[links.nonzero()[1]]
    assert same_side.mean() > 0.9
    assert csgraph.connected_components(load("disease").adjacency)[0] == 1
    assert load("cs_phds").target.max() == 1997
    assert np.bincount(load("polbooks").target).tolist() == [49, 43, 13]
    assert np.bincount(load("adjnoun").target).tolist() == [58, 54]


@real
@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("air_quality", (9357, 13)),
        ("branching_diffusion", (6350, 50)),
        ("city_temperatures", (445, 12)),
        ("earth_fires", (12809, 3)),
        ("earth_floods", (4875, 3)),
        ("earth_quakes", (6120, 3)),
        ("earth_volcanoes", (827, 3)),
        ("mnist", (10000, 784)),
        ("rna_torsions", (9478, 7)),
    ],
)
def test_real_points(name, shape):
    assert load(name).X.shape == shape


@real
def test_real_values():
    assert load("air_quality", complete=True).X.shape == (827, 13)
    assert np.isnan(load("air_quality").X).sum() == 16701
    assert np.bincount(load("mnist").target).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert all("�" not in city and city.isprintable() for city in load("city_temperatures").metadata["city"])
    np.testing.assert_allclose(np.linalg.norm(load("earth_quakes").X, axis=1), 1.0)
    tree = load("branching_diffusion")
    assert np.bincount(tree.node).tolist() == [50] * 127
    np.testing.assert_allclose(tree.X.std(axis=0), 1.0)


@real
@pytest.mark.parametrize(
    ("name", "n_vertices", "n_faces"),
    [("bunny", 35947, 69451), ("cow", 2903, 5804), ("spot", 2930, 5856), ("suzanne", 507, 968), ("teapot", 3644, 6320)],
)
def test_real_mesh(name, n_vertices, n_faces):
    data = load(f"mesh_{name}")
    assert (len(data.vertices), len(data.faces)) == (n_vertices, n_faces)
    assert data.faces.min() == 0


@real
def test_spot_is_a_closed_surface_of_genus_zero():
    data = load("mesh_spot")
    sides = np.sort(np.concatenate([data.faces[:, [0, 1]], data.faces[:, [1, 2]], data.faces[:, [2, 0]]]), axis=1)
    unique, counts = np.unique(sides, axis=0, return_counts=True)
    assert (counts == 2).all()
    assert len(data.vertices) - len(unique) + len(data.faces) == 2


@real
@pytest.mark.slow
def test_real_wordnet():
    if find("wordnet/data.noun") is None and find("wordnet/wordnet.zip") is None:
        pytest.skip("neither the mirror, the cache nor the system holds the WordNet database")
    nouns, mammals = load("wordnet_nouns"), load("wordnet_mammals")
    assert (nouns.adjacency.shape[0], nouns.adjacency.nnz, nouns.closure.nnz) == (82115, 84427, 743241)
    assert (mammals.closure.shape[0], mammals.closure.nnz) == (1182, 6542)
    assert len(set(nouns.node_names)) == 82115
    assert nouns.closure.diagonal().sum() == 0


@real
@pytest.mark.slow
def test_real_citations():
    pytest.importorskip("torch_geometric")
    cora, citeseer = load("cora"), load("citeseer")
    assert cora.X.shape == (2708, 1433)
    assert cora.adjacency.nnz == 2 * 5278
    assert (cora.train_mask.sum(), cora.validation_mask.sum(), cora.test_mask.sum()) == (140, 500, 1000)
    assert citeseer.X.shape == (3327, 3703)
    assert citeseer.adjacency.nnz == 2 * 4552


@real
def test_real_cells():
    pytest.importorskip("anndata")
    if find("scanpy/10x_pbmc68k_reduced.h5ad") is None:
        pytest.skip("neither the mirror, the cache nor scanpy holds the file")
    data = load("pbmc68k_reduced")
    assert data.X.shape == (700, 765)
    assert len(data.target_names) == 10
