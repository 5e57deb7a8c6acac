import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

DOCS = Path(__file__).parent.parent / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
PROGRAMS = {path.relative_to(DOCS).as_posix(): "\n".join(BLOCK.findall(path.read_text("utf-8"))) for path in PAGES}
NO_NETWORK = """
import socket

def refuse(*args, **options):
    raise OSError("the examples must not use the network")

socket.socket.connect = refuse
"""


@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page, program in PROGRAMS.items() if program])
def test_the_python_of_a_page_runs_from_top_to_bottom_offline(page, tmp_path):
    command = [sys.executable, "-c", NO_NETWORK + PROGRAMS[page]]
    # The page on manifolds of one's own uses the suite that ours are put through.
    paths = os.environ | {"PYTHONPATH": str(DOCS.parent)}
    ran = subprocess.run(command, cwd=tmp_path, env=paths, capture_output=True, text=True, timeout=240)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout


def commands():
    """Return the blocks of commands of all pages, without those that install or are what runs these tests."""
    for page in (DOCS.parent / "README.md", *PAGES):
        for block in re.findall(r"^```sh\n(.*?)^```", page.read_text("utf-8"), re.MULTILINE | re.DOTALL):
            lines = [line for line in block.splitlines() if not line.startswith(("make ", "pip install "))]
            if lines:
                yield pytest.param("\n".join(lines).replace(".venv/bin/", ""), id=f"{page.stem}: {lines[0][:40]}")


def write_files(folder):
    """Write the files that the commands name: cells of two types, and vectors."""
    rng = np.random.default_rng(0)
    values = np.concatenate([rng.normal(0, 1, (40, 4)), rng.normal(4, 1, (40, 4))])
    for name, rows in (("cells", np.arange(80)), ("new-cells", np.arange(0, 80, 9))):
        lines = ["type,age,a,b,c,d", *(f"{'AB'[row // 40]},{row},{','.join(map(str, values[row]))}" for row in rows)]
        (folder / f"{name}.csv").write_text("\n".join(lines))
    (folder / "vectors.jsonl").write_text("\n".join(json.dumps(row.tolist()) for row in values))


@pytest.mark.slow
@pytest.mark.parametrize("block", commands())
def test_the_commands_of_a_block_run(block, tmp_path):
    write_files(tmp_path)
    paths = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    command = ["bash", "-e", "-o", "pipefail", "-c", block]
    ran = subprocess.run(command, cwd=tmp_path, env=paths, capture_output=True, text=True, timeout=240)
    assert ran.returncode == 0, ran.stderr
    for written in re.findall(r"--(?:out|save) (\S+)", block):
        assert (tmp_path / written).stat().st_size > 0


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_every_page_is_in_the_navigation_and_has_a_title(page):
    assert page.read_text("utf-8").startswith("# ")
    assert page.relative_to(DOCS).as_posix() in (DOCS.parent / "mkdocs.yml").read_text("utf-8")


@pytest.mark.parametrize(
    "line", re.findall(r"^holonomy [a-z].*$", "\n".join(p.read_text("utf-8") for p in PAGES), re.M)
)
def test_every_command_of_the_pages_has_options_that_exist(line):
    from typer.testing import CliRunner

    from holonomy.cli.main import app

    words = line.split("#")[0].split()
    text = CliRunner().invoke(app, [words[1], "--help"], env={"COLUMNS": "200", "TERM": "dumb"}).output
    for option in (word for word in words[2:] if word.startswith("--")):
        assert option in text


def test_the_table_of_methods_names_methods_that_exist():
    from holonomy.embed._methods import method_names

    table = re.search(r"^\| you want.*?\n\n", (DOCS / "which-method.md").read_text("utf-8"), re.M | re.S)[0]
    taken = [row.split("|")[2] for row in table.splitlines()[2:] if row]
    named = {name for cell in taken for name in re.findall(r"`([a-z]+)`", cell)}
    assert named <= set(method_names())
    assert len(named) >= 6


def test_there_are_programs_to_run():
    assert sum(map(bool, PROGRAMS.values())) >= 8
