"""README.md and the pages of docs/ run, and point at things that exist."""

import csv
import doctest
import inspect
import pathlib
import re
import runpy
import sys
import tomllib

import numpy as np
import pytest
import sklearn
from sklearn.utils.fixes import parse_version

from sknn import MLPClassifier, MLPRegressor

ROOT = pathlib.Path(__file__).parents[1]
README = ROOT / "README.md"
WRITTEN_BY_BUILDS = {"_build", "auto_examples", "generated"}
PAGES = [
    README,
    *(
        page
        for page in sorted((ROOT / "docs").rglob("*.md"))
        if WRITTEN_BY_BUILDS.isdisjoint(page.relative_to(ROOT).parts)
    ),
]
NEWEST = parse_version(np.__version__) >= parse_version("2.0") and (
    parse_version(sklearn.__version__) >= parse_version("1.9")
)


def each(pages):
    """Parametrize a test by pages."""
    return pytest.mark.parametrize(
        "page", pages, ids=lambda page: page.relative_to(ROOT).as_posix()
    )


def text_of(page):
    return page.read_text(encoding="utf-8")


def examples(page):
    """The examples in fenced blocks, as one doctest with true line numbers."""
    lines, fenced = [], False
    for line in text_of(page).splitlines():
        fence = line.lstrip().startswith("```")
        fenced = fenced != fence
        lines.append(line if fenced and not fence else "")
    text = "\n".join(lines) + "\n"
    return doctest.DocTestParser().get_doctest(text, {}, page.name, str(page), 0)


@each([page for page in PAGES if ">>> " in text_of(page)])
@pytest.mark.skipif(not NEWEST, reason="pages show what the newest versions print")
def test_examples_of_the_page_run(page, run_examples):
    run_examples(examples(page))


@each(PAGES)
def test_relative_links_of_the_page_lead_somewhere(page):
    text = re.sub(r"```.*?```", "", text_of(page), flags=re.DOTALL)  # x[i](y) is code
    targets = re.findall(r"\]\((?!\w+:|#)([^)#\s]+)", text)
    broken = [target for target in targets if not (page.parent / target).exists()]
    assert broken == []


def test_the_page_for_scikit_learns_users_names_every_parameter():
    text = text_of(ROOT / "docs" / "migrating" / "from_sklearn.md")
    of_fit = set(inspect.signature(MLPClassifier.fit).parameters) - {"self", "X", "y"}
    names = {*MLPClassifier().get_params(), *MLPRegressor().get_params(), *of_fit}
    assert {name for name in names if f"`{name}`" not in text} == set()


FIGURES = ROOT / "docs" / "figures"


def rows_of_fits(page):
    """The figures of the table of fits: seconds and ratios of each line."""
    lines = text_of(page).splitlines()
    start = next(i for i, line in enumerate(lines) if "rows × epochs" in line) + 2
    network = ""
    for line in lines[start:]:
        if not line.startswith("|"):
            return
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        network = cells[0] or network
        yield network, cells[1], *re.findall(r"[\d.]+", " ".join(cells[2:]))


@each([README, ROOT / "docs" / "benchmarks.md"])
def test_the_table_of_fits_is_the_stored_one(page):
    with (FIGURES / "fit_speed.csv").open(encoding="utf-8") as file:
        stored = [
            (f"{network}, {batch}, {rows} × {epochs}", *rest)
            for network, batch, rows, epochs, *rest in list(csv.reader(file))[1:]
        ]
    assert list(rows_of_fits(page)) == stored


@pytest.mark.parametrize("table", sorted(FIGURES.glob("*.csv")), ids=lambda p: p.name)
def test_each_table_is_drawn(table, monkeypatch):
    plt = pytest.importorskip("matplotlib.pyplot")
    script = table.with_suffix(".py")
    monkeypatch.setattr(sys, "argv", [str(script)])
    monkeypatch.setattr(plt, "show", lambda: plt.gcf().canvas.draw())
    runpy.run_path(str(script))
    assert plt.gca().lines
    plt.close("all")


@pytest.fixture(scope="module")
def commands():
    """The lines of the README that install from a clone and go on."""
    found = re.findall(
        r"^python -m pip install -e \"\.\[([\w,]+)\]\" && python (.+)$",
        text_of(README),
        flags=re.MULTILINE,
    )
    return [(extras.split(","), then) for extras, then in found]


def test_the_readme_has_one_command_for_the_tour_and_one_for_the_tests(commands):
    tour, tests = commands
    assert (ROOT / tour[1]).is_file()
    assert tests[1].startswith("-m pytest")


def test_the_commands_install_extras_that_exist(commands):
    project = tomllib.loads(text_of(ROOT / "pyproject.toml"))
    known = set(project["project"]["optional-dependencies"])
    assert {extra for extras, _ in commands for extra in extras} <= known


@pytest.mark.parametrize(
    "script", sorted((ROOT / "tests" / "benchmarks").glob("*.py")), ids=lambda p: p.name
)
def test_each_benchmark_has_its_command_in_contributing(script):
    text = text_of(ROOT / "docs" / "contributing.md")
    assert f"python {script.relative_to(ROOT).as_posix()}`" in text


def test_badges_say_what_pyproject_states():
    script = runpy.run_path(str(FIGURES / "badges.py"))
    assert all(text_of(path) == text for path, text in script["files"]().items())
    shown = re.findall(r"\((docs/figures/badges/.*?)\)", text_of(README))
    assert {ROOT / path for path in shown} == set(script["files"]())
