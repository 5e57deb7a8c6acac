import sys

import numpy as np

import holonomy
from holonomy.catalogue import System
from holonomy.cli import output
from holonomy.report import Alert


def test_json_keeps_letters_as_they_are(capsys):
    output.print_json({"name": "Ångström"})
    assert "Ångström" in capsys.readouterr().out


def test_names_are_aligned(capsys):
    output.print_titles({"a": "first", "long": "second"})
    assert capsys.readouterr().out == "a     first\nlong  second\n"
    output.print_titles({})
    assert capsys.readouterr().out == ""


def test_notes_do_not_mix_with_results(capsys):
    output.show_notes(["one", "two"])
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "note: one\nnote: two\n"


def test_results_are_plain_for_programs_and_laid_out_for_people(capsys, monkeypatch):
    profile = holonomy.profile(np.random.default_rng(0).normal(size=(40, 3)))
    output.print_result(profile)
    assert capsys.readouterr().out == f"{profile}\n"
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    output.print_result(profile)
    assert profile.headline[:30] in capsys.readouterr().out


def test_systems_are_one_a_line_for_programs(capsys):
    system = System(3, "[bold]Brackets[/bold] stay " + "x" * 80, "embed", ("holonomy.embed.X",), "", "built")
    output.print_systems([system])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert "[bold]Brackets[/bold]" in lines[1]
    assert lines[2] == "1 system, 1 built."


def test_only_what_misleads_as_a_whole_is_said_with_what_to_do(capsys):
    serious = Alert("low_recall", "serious", "Few neighbours kept", "2%.", "Do this.")
    output.show_alerts([serious, Alert("hubs", "care", "Hubs", "Some.", "Do that.")])
    captured = capsys.readouterr()
    assert captured.err == "alert: Few neighbours kept. 2%. Do this.\n"
    assert captured.out == ""
