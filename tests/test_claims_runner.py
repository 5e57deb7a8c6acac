import json
import math
from pathlib import Path

import numpy as np
import pytest

from claims import runner, table
from claims.__main__ import main
from claims.experiment import Check, Outcome, alternately, check, verdict

CLAIM_FILE = '''
"""A claim file as they all look."""

from claims.experiment import Outcome, check


@check("Twice the seed is at least the seed.", "measured >= baseline")
def twice(seed):
    return Outcome(measured=2.0 * seed, baseline=seed)


@check(
    "The mean is above its constant in both cases.",
    "mean(measured) > 100",
    seeds=(3, 4, 5, 6),
    reason="Seeds are small.",
)
def too_small(seed):
    return Outcome(measured={"plain": seed, "squared": seed**2})
'''
CRASHING = CLAIM_FILE.replace("return Outcome(measured=2.0 * seed", "return Outcome(measured=1 / (seed - 1)")


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Give the runner a folder of its own with one claim file."""
    for name, folder in {"CLAIMS": "claims", "RESULTS": "claims/results"}.items():
        monkeypatch.setattr(runner, name, tmp_path / folder)
    monkeypatch.setattr(table, "DOCS", tmp_path / "docs")
    (tmp_path / "claims").mkdir()
    (tmp_path / "claims" / "007_umap.py").write_text(CLAIM_FILE)
    return tmp_path


def result(project: Path, folder: str = "claims/results") -> dict:
    return json.loads((project / folder / "007.json").read_text())


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def problems(project: Path) -> list[str]:
    return table.problems(project / "claims/results", project / "docs", project / "claims")


@pytest.mark.parametrize(
    ("inequality", "measured", "baseline", "holds"),
    [
        ("measured < baseline", [1, 2, 3], [2, 3, 4], True),
        ("measured < baseline", [1, 2, 4], [2, 3, 4], False),
        ("mean(measured) < mean(baseline)", [1, 2, 4], [2, 3, 4], True),
        ("min(measured) >= 1", [1, 2, 4], [None] * 3, True),
        ("max(measured) <= 3", [1, 2, 4], [None] * 3, False),
        ("median(measured) > mean(baseline) - 2 * std(baseline)", [1, 2, 9], [3, 4, 5], False),
        ("abs(log(measured / baseline)) < 0.1", [1, 2, 4], [1, 2.1, 4], True),
        ("measured < baseline", [{"a": 1, "b": 5}] * 3, [{"a": 2, "b": 6}] * 3, True),
        ("measured < baseline", [{"a": 1, "b": 5}] * 3, [{"a": 2, "b": 4}] * 3, False),
        ("mean(measured) < mean(baseline)", [3, 1, 2], [{"a": 3, "b": 4}] * 3, True),
        ("mean(measured) < mean(baseline)", [3, 1, 2], [{"a": 3, "b": 1}] * 3, False),
        ("measured < -baseline", [1, 2, 3], [-2, -3, -4], True),
    ],
)
def test_an_inequality_holds_when_it_is_true_of_every_seed_and_case(inequality, measured, baseline, holds):
    assert verdict(inequality, measured, baseline) is holds


@pytest.mark.parametrize("inequality", ["measured < 2", "measured > 0", "mean(measured) > 0", "max(measured) > 0"])
def test_a_missing_number_never_satisfies_an_inequality(inequality):
    assert not verdict(inequality, [1, None, 1], [None] * 3)
    assert not verdict(inequality, [{"a": 1, "b": None}] * 3, [None] * 3)


def test_cases_that_do_not_match_are_refused():
    with pytest.raises(ValueError, match="same cases"):
        verdict("measured < baseline", [{"a": 1}] * 3, [{"b": 1}] * 3)
    with pytest.raises(ValueError, match="every seed must give the same cases"):
        verdict("measured < 2", [{"a": 1}, {"b": 1}, {"a": 1}], [None] * 3)


@pytest.mark.parametrize(
    ("inequality", "message"),
    [
        ("measured <", "not an expression"),
        ("measured", "one comparison"),
        ("0 < measured < 1", "one comparison"),
        ("measured == 1", "may not use Eq"),
        ("mean(x) > 1", "unknown names: x"),
        ("baseline > 1", "nothing about what is measured"),
        ("measured.size > 1", "may not use Attribute"),
        ("measured[0] > 1", "may not use Subscript"),
    ],
)
def test_an_inequality_that_says_nothing_clear_is_refused_before_any_run(inequality, message):
    with pytest.raises(ValueError, match=message):
        check("A claim.", inequality)


@pytest.mark.parametrize("seeds", [(0, 1), (1, 1, 2)])
def test_fewer_than_three_different_seeds_are_refused(seeds):
    with pytest.raises(ValueError, match="at least three different"):
        check("A claim.", "measured > 0", seeds=seeds)


def test_a_check_takes_its_name_from_its_function():
    @check("A claim.", "measured > 0")
    def of_this_name(seed):
        return Outcome(seed)

    assert isinstance(of_this_name, Check)
    assert of_this_name.name == "of this name"
    assert of_this_name(4).measured == 4


def test_a_recorded_check_keeps_every_seed_beside_its_baseline():
    record = runner.run_check(check("A claim.", "measured < baseline")(lambda seed: Outcome(np.float32(seed), 1 / 3)))
    assert record["measured"] == [0, 1, 2]
    assert record["baseline"] == [0.33333] * 3
    assert record["seeds"] == [0, 1, 2]
    assert record["holds"] is False


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda seed: Outcome(1 / (seed - 1)), "seed 1: ZeroDivisionError"),
        (lambda seed: (1.0, 2.0), "seed 0: TypeError: a check must return an Outcome, got tuple"),
        (lambda seed: Outcome(np.ones(2)), "seed 0: TypeError"),
        (lambda seed: Outcome({"a": 1.0}, {"b": 2.0}), "inequality: ValueError: measured and baseline must name"),
    ],
)
def test_a_check_that_crashes_is_recorded_and_shown(function, message, capsys):
    record = runner.run_check(check("A claim.", "measured <= baseline")(function))
    assert record["holds"] is False
    assert record["crashed"][0].startswith(message)
    assert "Traceback" in capsys.readouterr().err
    assert "crashed" in table.outcome_text(record)


def test_a_result_that_is_not_finite_does_not_hold():
    record = runner.run_check(check("A claim.", "measured < 1")(lambda seed: Outcome(math.nan)))
    assert record["measured"] == [None] * 3
    assert record["holds"] is False


def test_contenders_take_turns_and_the_first_round_does_not_count():
    calls = []
    seconds = alternately(lambda: calls.append("ours"), lambda: calls.append("theirs"), repeats=2)
    assert calls == ["ours", "theirs"] * 3
    assert len(seconds) == 2
    assert all(0 <= spent < 1 for spent in seconds)


def test_run_keeps_the_result_and_a_claim_that_fails_is_no_error(project, capsys):
    assert main(["run", "007"]) == 0
    kept = result(project)
    assert (kept["number"], kept["title"][:4]) == (7, "UMAP")
    assert {"cores", "python", "versions"} <= set(kept["machine"])
    assert {"holonomy", "numpy"} <= set(kept["machine"]["versions"])
    first, second = kept["checks"]
    assert first == {
        "name": "twice",
        "statement": "Twice the seed is at least the seed.",
        "inequality": "measured >= baseline",
        "measured": [0.0, 2.0, 4.0],
        "baseline": [0, 1, 2],
        "seeds": [0, 1, 2],
        "holds": True,
    }
    assert second["measured"][0] == {"plain": 3, "squared": 9}
    assert second["reason"] == "Seeds are small."
    shown = capsys.readouterr().out
    assert "plain: 4.5 (3 to 6); squared: 21.5 (9 to 36)" in shown
    assert "does not hold" in shown


def test_other_seeds_and_single_checks_do_not_replace_the_result(project):
    assert main(["run", "all", "--seeds", "101,102,103"]) == 0
    assert main(["run", "7", "--only", "too_small"]) == 0
    assert not (project / "claims/results").exists()
    assert main(["run", "7", "--seeds", "101,102,103", "--out", str(project / "elsewhere")]) == 0
    assert result(project, "elsewhere")["checks"][0]["seeds"] == [101, 102, 103]
    assert main(["run", "7", "--only", "twice", "--out", str(project / "elsewhere")]) == 0
    assert len(result(project, "elsewhere")["checks"]) == 1


def test_a_crash_is_kept_and_fails_the_run(project):
    (project / "claims/007_umap.py").write_text(CRASHING)
    assert main(["run", "all"]) == 1
    record = result(project)["checks"][0]
    assert record["crashed"] == ["seed 1: ZeroDivisionError: division by zero"]
    assert record["measured"] == [-1, None, 1]
    assert record["holds"] is False


def test_unknown_numbers_and_seeds_are_refused(project, capsys):
    assert main(["run", "008"]) == 2
    assert main(["run", "umap"]) == 2
    assert "There are: 007." in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["run", "007", "--seeds", "one"])
    with pytest.raises(ValueError, match="no check named 'none'"):
        main(["run", "007", "--only", "none"])


def test_a_claim_file_without_checks_or_with_two_of_a_name_is_refused(project):
    path = project / "claims/007_umap.py"
    path.write_text("")
    with pytest.raises(ValueError, match="declares no check"):
        runner.load_checks(path)
    path.write_text(CLAIM_FILE.replace("seeds=(3, 4, 5, 6)", 'name="twice"'))
    with pytest.raises(ValueError, match="two checks of the same name"):
        runner.load_checks(path)


def test_pages_are_written_from_results_and_checked(project, capsys):
    assert any("has no result" in problem for problem in problems(project))
    main(["run", "007"])
    main(["table", "--write"])
    assert problems(project) == []
    assert main(["table", "--check"]) == 0
    page = (project / "docs/claims.md").read_text()
    assert "| `mean(measured) > 100` | plain: 4.5 (3 to 6)" in page
    assert "**does not hold: Seeds are small.**" in page
    assert "holds in part" in (project / "docs/methods.md").read_text()
    main(["list"])
    main(["table"])
    assert "007_umap  1 of 2 hold" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("file", "old", "new", "problem"),
    [
        ("claims/007_umap.py", "measured >= baseline", "measured >= 0", "says something else than when it was run"),
        ("claims/007_umap.py", "at least the seed.", "more than the seed.", "says something else"),
        ("claims/007_umap.py", "seeds=(3, 4, 5, 6)", "seeds=(3, 4, 5)", "was run with seeds [3, 4, 5, 6] instead"),
        ("claims/007_umap.py", "def twice", "def double", "its checks are not those of the result"),
        ("claims/007_umap.py", "Seeds are small.", "Bad luck.", "gives another reason"),
        ("claims/007_umap.py", '    reason="Seeds are small.",\n', "", "gives another reason"),
        ("claims/results/007.json", '"holds": false', '"holds": true', "a verdict that its numbers do not give"),
        ("claims/results/007.json", '"plain": 3', '"plain": 13', "docs/claims.md is out of step"),
        ("docs/methods.md", "holds in part", "holds", "docs/methods.md is out of step"),
    ],
)
def test_whatever_falls_out_of_step_is_found(project, file, old, new, problem):
    main(["run", "007"])
    main(["table", "--write"])
    edit(project / file, old, new)
    found = problems(project)
    assert any(problem in line for line in found), found
    assert main(["table", "--check"]) == 1


def test_a_claim_that_fails_must_say_why_and_the_words_need_no_new_run(project):
    path = project / "claims/007_umap.py"
    path.write_text(CLAIM_FILE.replace('    reason="Seeds are small.",\n', ""))
    main(["run", "007"])
    main(["table", "--write"])
    assert any("gives no reason" in problem for problem in problems(project))
    path.write_text(CLAIM_FILE)
    main(["table", "--write"])
    assert problems(project) == []
    assert result(project)["checks"][1]["reason"] == "Seeds are small."


def test_a_result_without_a_claim_file_is_found(project):
    main(["run", "007"])
    main(["table", "--write"])
    (project / "claims/007_umap.py").unlink()
    assert problems(project) == ["007.json belongs to no claim file."]
