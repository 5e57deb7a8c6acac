"""The documentation pages made from the committed results, and whether everything is still in step."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.record import markdown_table, read_json, short, write_json
from claims.experiment import Check, verdict
from claims.runner import CLAIMS, RESULTS, claim_files, load_checks, result_file
from holonomy import catalogue

DOCS = CLAIMS.parent / "docs"
_STATES = {"holds": "holds", "partly": "holds in part", "fails": "does not hold", "built": "built", "absent": ""}


def pages(results: Path = RESULTS) -> dict[str, str]:
    """Return the text of each generated page by file name."""
    return {"claims.md": claims_page(results), "methods.md": methods_page(results)}


def write(results: Path = RESULTS, docs: Path = DOCS, claims: Path = CLAIMS) -> None:
    """Copy the reasons from the claim files into the results (words only, no number), then write the pages."""
    for number, path in claim_files(claims).items():
        if result_file(number, results).exists():
            _copy_reasons(result_file(number, results), load_checks(path))
    docs.mkdir(parents=True, exist_ok=True)
    for name, text in pages(results).items():
        (docs / name).write_text(text, encoding="utf-8")


def problems(results: Path = RESULTS, docs: Path = DOCS, claims: Path = CLAIMS) -> list[str]:
    """Return what is out of step between claim files, results and pages; empty when nothing is."""
    found: list[str] = []
    files = claim_files(claims)
    for number, path in files.items():
        kept = result_file(number, results)
        if kept.exists():
            found += [f"{path.name}: {problem}" for problem in _disagreements(load_checks(path), read_json(kept))]
        else:
            found.append(f"{path.name} has no result: run `python -m claims run {number:03d}`.")
    for kept in sorted(results.glob("*.json")):
        if int(kept.stem) not in files:
            found.append(f"{kept.name} belongs to no claim file.")
    for name, text in pages(results).items():
        page = docs / name
        if not page.exists() or page.read_text(encoding="utf-8") != text:
            found.append(f"docs/{name} is out of step: run `python -m claims table --write`.")
    return found


def claims_page(results: Path = RESULTS) -> str:
    """Return the page that shows every check beside its baseline."""
    rows = []
    for path in sorted(results.glob("*.json")):
        result = read_json(path)
        rows += [(f"{result['number']:03d} {result['title']}", *_row(record)) for record in result["checks"]]
    header = ("system", "claim", "inequality", "measured", "baseline", "seeds", "verdict")
    return (
        "# What the claims came to\n\n"
        "Each row is one experiment of `claims/`, run side by side with the baseline that the claim names. The\n"
        "inequality is written before the run and holds when it is true of every seed and case; numbers are the mean\n"
        "over the seeds, with the lowest and highest in brackets. Made by `python -m claims table --write` from\n"
        "`claims/results/`; `python -m claims run NNN` repeats an experiment.\n\n" + markdown_table(header, rows) + "\n"
    )


def methods_page(results: Path = RESULTS) -> str:
    """Return the page that lists the systems and their state."""
    known = catalogue.systems(results if results.is_dir() else None)
    present = sum(system.state != "absent" for system in known)
    rows = [
        (f"{system.number}", system.title, system.room, ", ".join(f"`{name}`" for name in system.objects),
         _STATES[system.state])
        for system in known
    ]  # fmt: skip
    return (
        "# The published systems\n\n"
        f"Built: {present} of {len(known)}. Where the experiments of a system have been run, its state is what\n"
        "they found ([the numbers](claims.md)). Made by `python -m claims table --write`.\n\n"
        + markdown_table(("number", "title", "room", "objects", "state"), rows)
        + "\n"
    )


def outcome_text(record: Mapping[str, Any]) -> str:
    """Return the verdict of a recorded check in words, with the reason where it does not hold."""
    if record["holds"]:
        return "holds"
    why = "; ".join([*record.get("crashed", ()), *([record["reason"]] if "reason" in record else [])])
    return ("crashed" if "crashed" in record else "does not hold") + (f": {why}" if why else "")


def spread_text(values: Sequence[Any]) -> str:
    """Return the mean over the seeds of each case, with the lowest and highest in brackets."""
    present = [value for value in values if value is not None]
    if not present:
        return "–"
    if isinstance(present[0], Mapping):
        return "; ".join(f"{case}: {_spread([value[case] for value in present])}" for case in present[0])
    return _spread(present)


def _spread(values: Sequence[float | None]) -> str:
    known = [value for value in values if value is not None]
    if not known:
        return "–"
    mean = short(sum(known) / len(known))
    lowest, highest = short(min(known)), short(max(known))
    return mean if lowest == highest else f"{mean} ({lowest} to {highest})"


def _row(record: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        f"{record['name']}: {record['statement']}",
        f"`{record['inequality']}`",
        spread_text(record["measured"]),
        spread_text(record["baseline"]),
        str(len(record["seeds"])),
        outcome_text(record) if record["holds"] else f"**{outcome_text(record)}**",
    )


def _copy_reasons(path: Path, checks: Sequence[Check]) -> None:
    result = read_json(path)
    reasons = {one.name: one.reason for one in checks}
    for record in result["checks"]:
        record.pop("reason", None)
        if not record["holds"] and reasons.get(record["name"]):
            record["reason"] = reasons[record["name"]]
    write_json(path, result)


def _disagreements(checks: Sequence[Check], result: Mapping[str, Any]) -> Iterator[str]:
    records = {record["name"]: record for record in result["checks"]}
    if [one.name for one in checks] != list(records):
        yield "its checks are not those of the result; run it again."
    for one in checks:
        if one.name in records:
            yield from (f"{one.name!r} {problem}" for problem in _disagreement(one, records[one.name]))


def _disagreement(one: Check, record: Mapping[str, Any]) -> Iterator[str]:
    if (one.statement, one.inequality) != (record["statement"], record["inequality"]):
        yield "says something else than when it was run; run it again."
        return
    if tuple(record["seeds"]) != one.seeds:
        yield f"was run with seeds {record['seeds']} instead of {list(one.seeds)}."
    held = "crashed" not in record and verdict(one.inequality, record["measured"], record["baseline"])
    if held != record["holds"]:
        yield "records a verdict that its numbers do not give."
    if not record["holds"] and "crashed" not in record and not record.get("reason"):
        yield "does not hold and gives no reason; find it, and pass it to check(reason=...)."
    if not record["holds"] and record.get("reason", "") != one.reason:
        yield "gives another reason than its result: run `python -m claims table --write`."
