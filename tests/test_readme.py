import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PROGRAMS = re.findall(r"^```python\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
LINKED = re.findall(r"\]\(([^)#]+)\)", README) + re.findall(r'(?:src|srcset)="([^"]+)"', README)
NO_NETWORK = """
import socket

def refuse(*args, **options):
    raise OSError("the examples must not use the network")

socket.socket.connect = refuse
"""


@pytest.mark.slow
@pytest.mark.parametrize("program", PROGRAMS, ids=[f"block {i}" for i in range(1, len(PROGRAMS) + 1)])
def test_the_python_of_the_readme_runs_offline_and_prints(program, tmp_path):
    ran = subprocess.run(
        [sys.executable, "-c", NO_NETWORK + program], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout
    for name in re.findall(r'save\("([^"]+)"\)', program):
        assert (tmp_path / name).stat().st_size > 0


def test_the_readme_opens_with_the_two_commands():
    first_block = re.search(r"```sh\n(.*?)```", README, re.DOTALL)
    assert [line.split("#")[0].strip() for line in first_block[1].splitlines()] == ["make demo", "make test"]
    assert re.search(r"^demo: ", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert re.search(r"^test: ", (ROOT / "Makefile").read_text(), re.MULTILINE)


def test_there_are_programs_to_run():
    assert len(PROGRAMS) >= 2


@pytest.mark.parametrize("target", sorted(set(LINKED)))
def test_what_the_readme_links_to_is_there(target):
    assert (ROOT / target).exists()
