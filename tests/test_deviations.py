"""docs/deviations.md names tests that exist, and numbers its rows without gaps."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "deviations.md").read_text()


def _defined_tests():
    names = set()
    for path in (ROOT / "tests").rglob("test_*.py"):
        names |= set(re.findall(r"^def (test_\w+)", path.read_text(), re.MULTILINE))
    return names


def test_every_test_named_exists():
    named = set(re.findall(r"`(test_\w+)`", PAGE))
    assert named
    assert named <= _defined_tests()


def test_every_row_is_numbered_and_names_a_test():
    rows = re.findall(r"^\| (\d+) \|(.*)$", PAGE, re.MULTILINE)
    assert [int(number) for number, _ in rows] == list(range(1, len(rows) + 1))
    assert all("`test_" in row for _, row in rows)
