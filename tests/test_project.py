"""The rules that hold for the whole project, whatever is added to it."""

import ast
import doctest
import importlib
import inspect
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import benchmarks.table
import claims.table
import holonomy
from holonomy._core.citations import bib_entries

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "holonomy"
ROOMS = sorted(path.parent.name for path in SOURCE.glob("*/__init__.py") if not path.parent.name.startswith("_"))

MODULES = sorted(SOURCE.rglob("*.py"))


def exported(room):
    return tuple(getattr(importlib.import_module(f"holonomy.{room}"), "__all__", ()))


PUBLIC = [f"holonomy.{name}" for name in holonomy.__all__ if name not in {*ROOMS, "catalogue", "__version__"}]
PUBLIC += [f"holonomy.catalogue.{name}" for name in ("System", "find", "systems")]
PUBLIC += [f"holonomy.{room}.{name}" for room in ROOMS for name in exported(room)]
STUDIES = [f"studies.{name}" for name in exported("studies")]
PUBLIC += [f"holonomy.{study}.{name}" for study in STUDIES for name in exported(study)]


def public(name):
    module, _, attribute = name.rpartition(".")
    return getattr(importlib.import_module(module), attribute)


def run(program):
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.strip()


def normal(distribution):
    return distribution.lower().replace("_", "-")


def strings(node):
    return {part.value for part in ast.walk(node) if isinstance(part, ast.Constant) and isinstance(part.value, str)}


def named_references(path):
    """Return the BibTeX keys that a module names: ``_references``, ``_used_references`` and ``@references(...)``."""
    keys = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(isinstance(target, ast.Name) and target.id == "_references" for target in targets):
                keys |= strings(node.value)
        elif isinstance(node, ast.FunctionDef) and node.name == "_used_references":
            keys |= {text for text in strings(node) if re.fullmatch(r"[a-z]+\d{4}[a-z]*", text)}
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "references":
            keys |= strings(node)
    return keys


def test_importing_the_package_is_quick():
    program = "import time; start = time.perf_counter(); import holonomy; print(time.perf_counter() - start)"
    assert min(float(run(program)) for _ in range(3)) <= 0.3


def test_importing_the_package_and_its_rooms_loads_nothing_heavy():
    rooms = ", ".join(["holonomy", *(f"holonomy.{room}" for room in ROOMS)])
    heavy = "{'torch', 'sklearn', 'numba', 'scipy', 'pandas', 'matplotlib', 'faiss'}"
    assert run(f"import sys, {rooms}; print(sorted({heavy} & set(sys.modules)))") == "[]"


def test_the_version_is_the_same_everywhere():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert holonomy.__version__ == version
    assert f"version: {version}\n" in (ROOT / "CITATION.cff").read_text()


def test_every_tested_dependency_is_pinned():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    pinned = dict(re.findall(r"^([\w.-]+)==(\S+)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE))
    needed = [*project["dependencies"], *extras["test"], *extras["bench"], *extras["bio"]]
    assert {normal(re.match(r"[\w.-]+", line)[0]) for line in needed} <= {normal(name) for name in pinned}
    assert pinned["torch"] == "2.13.0"


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_is_there_and_documented_with_an_example(name):
    thing = public(name)
    if inspect.isclass(thing) or inspect.isroutine(thing):
        text = inspect.getdoc(thing) or ""
        assert re.search(r"^Examples\n-+\n(.|\n)*>>> ", text, re.MULTILINE), f"{name} has no example"


@pytest.mark.parametrize("name", PUBLIC)
def test_the_examples_run(name):
    thing = public(name)
    module = importlib.import_module(thing.__module__) if hasattr(thing, "__module__") else None
    finder, runner = (
        doctest.DocTestFinder(recurse=False),
        doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE),
    )
    for example in finder.find(thing, name, module=module, globs={}):
        assert runner.run(example).failed == 0


@pytest.mark.parametrize("room", [*ROOMS, *STUDIES])
def test_no_module_hides_a_public_name(room):
    modules = {path.stem for path in SOURCE.joinpath(*room.split(".")).iterdir()}
    hidden = modules & set(exported(room))
    assert all(inspect.ismodule(public(f"holonomy.{room}.{name}")) for name in hidden)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_every_reference_named_is_in_the_bibliography(path):
    assert named_references(path) <= set(bib_entries())


def test_claims_results_and_pages_are_in_step():
    assert claims.table.problems() == []


def test_benchmarks_results_and_page_are_in_step():
    assert benchmarks.table.problems() == []
