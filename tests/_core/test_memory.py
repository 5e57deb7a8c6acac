"""How much memory there is, and refusing what does not fit."""

import pytest

from holonomy._core import memory
from holonomy._core.memory import amount_of_memory, available_memory, check_memory


def test_what_is_available_is_less_than_what_the_machine_has(monkeypatch):
    monkeypatch.delenv("HOLONOMY_MEMORY_LIMIT", raising=False)
    available = available_memory()
    assert available is None or 2**20 < available < 2**50


@pytest.mark.parametrize(
    ("given", "expected"), [("1000", 1000), ("2 KiB", 2048), ("1.5MiB", 1572864), ("3kb", 3000), ("1e3", 1000)]
)
def test_a_limit_can_be_set(monkeypatch, given, expected):
    monkeypatch.setenv("HOLONOMY_MEMORY_LIMIT", given)
    assert available_memory() == expected


def test_a_limit_that_is_no_amount_is_named(monkeypatch):
    monkeypatch.setenv("HOLONOMY_MEMORY_LIMIT", "plenty")
    with pytest.raises(ValueError, match="HOLONOMY_MEMORY_LIMIT must be an amount such as 8GiB, got 'plenty'"):
        available_memory()


def test_what_does_not_fit_is_refused_with_both_amounts_and_advice(monkeypatch):
    monkeypatch.setenv("HOLONOMY_MEMORY_LIMIT", "1MiB")
    check_memory(2**19, "A map", "Take less.")
    with pytest.raises(MemoryError, match=r"A map needs about 3\.0 MiB, and 1\.0 MiB are available\. Take less\."):
        check_memory(3 * 2**20, "A map", "Take less.")


def test_containers_leave_what_their_limit_leaves(tmp_path):
    limit, usage = tmp_path / "max", tmp_path / "current"
    limit.write_text("5000\n")
    usage.write_text("2000\n")
    assert memory._container_memory(str(limit), str(usage)) == 3000
    usage.write_text("9000\n")
    assert memory._container_memory(str(limit), str(usage)) == 0
    limit.write_text("max\n")
    assert memory._container_memory(str(limit), str(usage)) is None
    assert memory._container_memory(str(tmp_path / "nothing"), str(usage)) is None


def test_systems_that_do_not_say_are_not_asked_to(monkeypatch):
    monkeypatch.delenv("HOLONOMY_MEMORY_LIMIT", raising=False)
    monkeypatch.setattr(memory, "_system_memory", lambda: None)
    monkeypatch.setattr(memory, "CGROUP_LIMITS", ())
    assert available_memory() is None
    check_memory(1e30, "Anything", "Nothing.")


def test_amounts_are_written_for_people():
    assert [amount_of_memory(2.0**power) for power in (3, 10, 20, 30, 40)] == [
        "8 bytes",
        "1.0 KiB",
        "1.0 MiB",
        "1.0 GiB",
        "1.0 TiB",
    ]
