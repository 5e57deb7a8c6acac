"""Files from a mirror, the cache, an installed package and a server: a real one, on this machine."""

import hashlib
import http.server
import socket
import threading

import pytest

from holonomy._core.progress import progress
from holonomy.datasets import _fetch
from holonomy.datasets._fetch import cache_folder, fetch, find, sha256_of
from holonomy.datasets._registry import DataFile

CONTENT = b"1,2\n3,4\n" * 30_000
PATH = "folder/points.csv"


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("HOLONOMY_DATA", str(tmp_path / "cache"))
    monkeypatch.delenv("HOLONOMY_DATA_MIRROR", raising=False)
    return tmp_path / "cache"


@pytest.fixture
def mirror(tmp_path, monkeypatch):
    folder = tmp_path / "mirror"
    folder.mkdir()
    monkeypatch.setenv("HOLONOMY_DATA_MIRROR", str(folder))
    return folder


@pytest.fixture
def server(tmp_path):
    """Serve a folder over HTTP; yields the folder, the address, and the list of requests."""
    folder, requests = tmp_path / "served", []
    folder.mkdir()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments):
            super().__init__(*arguments, directory=str(folder))

        def log_message(self, *arguments):
            requests.append(self.path)

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True).start()
        yield folder, f"http://127.0.0.1:{running.server_address[1]}", requests
        running.shutdown()


@pytest.fixture
def dead_address():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{listener.getsockname()[1]}/points.csv"


@pytest.fixture
def register(monkeypatch):
    """Register one file, with the checksum of `CONTENT`."""

    def put(*urls, **fields):
        file = DataFile(PATH, hashlib.sha256(CONTENT).hexdigest(), urls, **fields)
        monkeypatch.setattr(_fetch, "data_file", lambda path: {PATH: file}[path])

    return put


def write(path, content=CONTENT):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_mirror_is_used_in_place_and_first(register, mirror, cache):
    register()
    write(cache / PATH)
    place = write(mirror / PATH)
    assert fetch(PATH) == place


def test_mirror_with_another_file_is_refused(register, mirror):
    register()
    write(mirror / PATH, b"9,9\n")
    with pytest.raises(
        ValueError, match=r"points\.csv is not the registered file: its sha256 is .*HOLONOMY_DATA_MIRROR"
    ):
        fetch(PATH)


def test_mirror_that_is_no_folder_is_refused(register, monkeypatch, tmp_path):
    register()
    monkeypatch.setenv("HOLONOMY_DATA_MIRROR", str(tmp_path / "nowhere"))
    with pytest.raises(FileNotFoundError, match=r"HOLONOMY_DATA_MIRROR is set to .*nowhere"):
        fetch(PATH)


def test_download_is_kept(register, server, cache):
    folder, address, requests = server
    write(folder / "points.csv")
    register(f"{address}/points.csv")
    for _ in range(2):
        assert fetch(PATH) == cache / PATH
    assert (cache / PATH).read_bytes() == CONTENT
    assert requests == ["/points.csv"]


def test_mirror_without_the_file_leads_to_a_download(register, server, cache, mirror):
    folder, address, _ = server
    write(folder / "points.csv")
    register(f"{address}/points.csv")
    assert fetch(PATH) == cache / PATH


def test_second_source_is_tried(register, server, dead_address, cache):
    folder, address, _ = server
    write(folder / "points.csv")
    register(dead_address, f"{address}/lost.csv", f"{address}/points.csv")
    assert fetch(PATH).read_bytes() == CONTENT


def test_damaged_cache_is_downloaded_again(register, server, cache):
    folder, address, _ = server
    write(folder / "points.csv")
    write(cache / PATH, b"damaged")
    register(f"{address}/points.csv")
    assert fetch(PATH).read_bytes() == CONTENT


def test_wrong_checksum_is_refused_and_not_kept(register, server, cache):
    folder, address, _ = server
    write(folder / "points.csv", b"something else")
    register(f"{address}/points.csv")
    with pytest.raises(ValueError, match=r"points\.csv \(sent a file with another checksum\)"):
        fetch(PATH)
    assert not list(cache.rglob("*.csv"))


def test_no_network_names_url_variable_and_cache(register, dead_address, cache):
    register(dead_address)
    with pytest.raises(ConnectionError) as caught:
        fetch(PATH)
    for part in (dead_address, "HOLONOMY_DATA_MIRROR", str(cache), hashlib.sha256(CONTENT).hexdigest()):
        assert part in str(caught.value)


def test_missing_page_names_its_status(register, server):
    _, address, _ = server
    register(f"{address}/lost.csv")
    with pytest.raises(ConnectionError, match=r"lost\.csv \(HTTP status 404\)"):
        fetch(PATH)


def test_file_without_source_says_what_it_was_made_from(register):
    register(origin="a pickle in a repository")
    with pytest.raises(FileNotFoundError, match=r"no public download.*a pickle in a repository.*HOLONOMY_DATA_MIRROR"):
        fetch(PATH)


def test_cache_that_cannot_be_written_is_named(register, server, monkeypatch, tmp_path):
    folder, address, _ = server
    write(folder / "points.csv")
    register(f"{address}/points.csv")
    monkeypatch.setenv("HOLONOMY_DATA", str(write(tmp_path / "a_file")))
    with pytest.raises(OSError, match=r"Cannot keep .*a_file.*HOLONOMY_DATA"):
        fetch(PATH)


def test_file_of_an_installed_package(register, monkeypatch, tmp_path):
    write(tmp_path / "carrier" / "__init__.py", b"raise RuntimeError('imported')")
    place = write(tmp_path / "carrier" / "data" / "points.csv")
    monkeypatch.syspath_prepend(tmp_path)
    register(installed="carrier:data/points.csv")
    assert fetch(PATH) == place
    place.write_bytes(b"another version")
    assert find(PATH) is None


def test_file_at_an_absolute_place(register, tmp_path):
    register(installed=str(tmp_path / "points.csv"))
    assert find(PATH) is None
    place = write(tmp_path / "points.csv")
    assert fetch(PATH) == place


def test_absent_package_is_passed_over(register):
    register(installed="no_such_package_at_all:points.csv")
    assert find(PATH) is None


def test_default_cache_is_the_users(monkeypatch):
    monkeypatch.delenv("HOLONOMY_DATA")
    assert cache_folder().name == "holonomy"


def test_progress_counts_bytes(register, server, monkeypatch):
    folder, address, _ = server
    write(folder / "points.csv")
    register(f"{address}/points.csv")
    described, steps = [], []

    def recorded(description):
        described.append(description)
        return progress(description, enabled=False)

    monkeypatch.setattr(_fetch, "progress", recorded)
    monkeypatch.setattr(_fetch._BarForPooch, "update", lambda self, n: steps.append((self.total, n)))
    fetch(PATH)
    assert described == ["Downloading points.csv"]
    assert len(steps) > 2
    assert steps[-1] == (len(CONTENT), len(CONTENT))


def test_sha256(tmp_path):
    assert sha256_of(write(tmp_path / "x")) == hashlib.sha256(CONTENT).hexdigest()
