"""The page that shows how to add a manifold tells the truth."""

import re
from pathlib import Path

from tests.manifolds.suite import ManifoldSuite

PAGE = Path(__file__).parents[2] / "docs" / "manifolds.md"
CODE = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[0]
NAMES: dict = {}
exec(CODE.split("x = Cylinder()")[0], NAMES)  # noqa: S102


class TestCylinder(ManifoldSuite):
    spaces = (NAMES["Cylinder"](), NAMES["Cylinder"](check=True))


def test_the_example_is_short_and_runs(capsys):
    assert len([line for line in CODE.split("class ")[1].split("x = ")[0].splitlines() if line.strip()]) <= 20
    exec(CODE, {})  # noqa: S102
    assert "dist" in capsys.readouterr().out
