import os
from pathlib import Path

import pytest

from holonomy._core.files import check_writable, replacing


def test_replacing_puts_the_whole_file_in_place(tmp_path):
    path = tmp_path / "page.html"
    path.write_text("old")
    with replacing(path) as part:
        part.write_text("new")
        assert path.read_text() == "old"
        assert part.parent == path.parent
        assert part.suffix == ".html"
    assert path.read_text() == "new"
    assert os.listdir(tmp_path) == ["page.html"]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_replacing_leaves_everything_as_it_was_when_writing_fails(tmp_path, error):
    path = tmp_path / "page.html"
    path.write_text("old")

    def write_half():
        with replacing(path) as part:
            part.write_text("half")
            raise error

    with pytest.raises(error):
        write_half()
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["page.html"]


def test_replacing_follows_a_link_instead_of_replacing_it(tmp_path):
    target, link = tmp_path / "target.txt", tmp_path / "link.txt"
    target.write_text("old")
    link.symlink_to(target)
    with replacing(link) as part:
        part.write_text("new")
    assert link.is_symlink()
    assert target.read_text() == "new"


def test_a_missing_folder_is_named():
    with pytest.raises(FileNotFoundError, match="no such folder") as raised:
        check_writable("/nowhere/at/all/page.html")
    assert raised.value.filename == str(Path("/nowhere/at/all"))


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(IsADirectoryError):
        check_writable(tmp_path)


def test_a_folder_that_cannot_be_written_to_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(PermissionError, match="cannot be written"):
        check_writable(tmp_path / "page.html")
