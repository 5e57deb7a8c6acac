import json
import os

import pytest
from rich.console import Console


def test_the_page_is_written_whole(plain_report, tmp_path):
    path = plain_report.save(tmp_path / "page.html")
    assert path.read_text(encoding="utf-8") == plain_report.to_html()
    assert os.listdir(tmp_path) == ["page.html"]
    assert plain_report.save(str(path)) == path


def test_a_failing_page_leaves_the_old_one(plain_report, tmp_path, monkeypatch):
    path = tmp_path / "page.html"
    path.write_text("old")
    monkeypatch.setattr(type(plain_report), "to_html", lambda self: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        plain_report.save(path)
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["page.html"]


def test_no_folder_to_write_to(plain_report):
    with pytest.raises(FileNotFoundError, match="no such folder"):
        plain_report.save("/nowhere/page.html")


def test_figures_as_json(plain_report):
    figures = json.loads(json.dumps(plain_report.to_dict(), allow_nan=False))
    assert figures["points"] == 120
    assert len(figures["summary"]) == 5
    assert set(figures["scores"]["Trustworthiness"]) == {"map", "pca"}
    assert figures["profile"]["headline"] == plain_report.profile.headline


def test_in_a_notebook_and_a_terminal(hostile_report):
    cell = hostile_report._repr_html_()
    assert cell.startswith("<iframe srcdoc=")
    assert cell.count("<") == 2  # the page's own tags are escaped inside the attribute
    console = Console(record=True, width=200)
    console.print(hostile_report)
    assert "points × 4 features" in console.export_text()
