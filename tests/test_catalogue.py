import importlib
import json
from pathlib import Path

import pytest

from holonomy import catalogue

ROOT = Path(__file__).parents[1]
ROOMS = {"", "manifolds", "graphs", "topology", "optim", "objectives", "nn", "measure", "stats", "datasets"}
ROOMS |= {"embed", "predict", "generate", "studies"}
SYSTEMS = catalogue.systems()
PRESENT = [system for system in SYSTEMS if system.state != "absent"]


def numbers(query):
    return [system.number for system in catalogue.find(query)]


def write_result(folder, number, *verdicts):
    (folder / f"{number:03d}.json").write_text(json.dumps({"checks": [{"holds": verdict} for verdict in verdicts]}))


def test_all_systems_are_there_in_order():
    assert [system.number for system in SYSTEMS] == list(range(1, 120))
    assert len({system.title for system in SYSTEMS}) == 119
    assert all(system.title == system.title.strip() and "$" not in system.title for system in SYSTEMS)
    assert {system.room for system in SYSTEMS} <= ROOMS
    assert {system.state for system in SYSTEMS} <= {"absent", "built"}


def test_absent_systems_have_no_objects_and_no_claim():
    for system in SYSTEMS:
        if system.state == "absent":
            assert system.objects == ()
            assert system.claim == ""


@pytest.mark.parametrize("system", PRESENT, ids=lambda system: f"{system.number:03d}")
def test_what_is_built_exists_and_has_its_experiment(system):
    assert system.objects
    for name in system.objects:
        module, _, attribute = name.rpartition(".")
        assert hasattr(importlib.import_module(module), attribute), name
    assert system.claim.startswith(f"{system.number:03d}_")
    assert (ROOT / "claims" / f"{system.claim}.py").is_file()


@pytest.mark.parametrize(
    ("verdicts", "state"),
    [((True, True), "holds"), ((True, False), "partly"), ((False,), "fails")],
)
def test_the_state_of_a_built_system_comes_from_its_results(tmp_path, verdicts, state):
    write_result(tmp_path, 7, *verdicts)
    assert catalogue.systems(tmp_path)[6].state == state
    assert catalogue.find(7, tmp_path)[0].state == state
    assert catalogue.systems()[6].state == "built"


def test_results_change_nothing_else(tmp_path):
    write_result(tmp_path, 1, True)
    assert catalogue.systems(tmp_path) == SYSTEMS


def test_results_must_be_a_folder(tmp_path):
    with pytest.raises(ValueError, match="results must be an existing folder"):
        catalogue.systems(tmp_path / "missing")


@pytest.mark.parametrize("query", [7, "7", "007", " 7 "])
def test_a_number_finds_that_system(query):
    assert numbers(query) == [7]


def test_words_match_title_room_and_objects_whatever_their_case_and_accents():
    assert numbers("POINCARÉ") == numbers("poincare") == [33]
    assert 7 in numbers("embed umap")
    assert numbers("holonomy.embed.UMAP") == [7]
    assert set(numbers("hyperbolic embed")) < set(numbers("hyperbolic"))


def test_no_match_is_empty_and_no_query_is_everything():
    assert catalogue.find("no such words") == ()
    assert catalogue.find(500) == ()
    assert catalogue.find("") == catalogue.find() == SYSTEMS
