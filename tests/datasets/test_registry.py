"""The registry is whole: every set has a reader and files, every file a checksum and a source or an origin."""

import re

import pytest

from holonomy.datasets import names
from holonomy.datasets._registry import _registry, data_file, data_sets
from holonomy.datasets.loaders import READERS

SETS, FILES = _registry()
SPECIAL = {"images", "air_quality"}


@pytest.mark.parametrize("name", SETS)
def test_set(name):
    entry = data_sets()[name]
    paths = [*entry.files, *(path for split in entry.splits.values() for path in split)]
    assert paths
    assert set(paths) <= set(FILES)
    assert entry.reader in READERS.keys() | SPECIAL
    for part in (entry.title, entry.source, entry.licence, entry.citation):
        assert part
        assert part in entry.descr


@pytest.mark.parametrize("path", FILES)
def test_file(path):
    file = data_file(path)
    assert re.fullmatch(r"[0-9a-f]{64}", file.sha256)
    assert file.urls or file.origin
    assert all(re.match(r"https?://[^\s]+$", url) for url in file.urls)


def test_every_file_and_reader_is_used():
    used = [path for entry in SETS.values() for files in (entry.files, *entry.splits.values()) for path in files]
    assert set(used) == set(FILES)
    assert {entry.reader for entry in SETS.values()} == READERS.keys() | SPECIAL


def test_names_are_sorted_and_have_the_embedded_sets():
    assert list(names()) == sorted(names())
    assert {"digits", "iris", "wine", "breast_cancer", "diabetes"} <= set(names())
