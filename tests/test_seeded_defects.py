"""The proof by seeded defects, in small; docs/contributing.md has the long run."""

import ast
import contextlib
import importlib
import os
import pathlib
import random
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[1]


@contextlib.contextmanager
def proofs_on_path():
    """Let the scripts of the proofs, which are no package, find each other."""
    folder = str(ROOT / "tests" / "proofs")
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        sys.path.remove(folder)


with proofs_on_path():
    by_hand = importlib.import_module("defects_by_hand")
    drawn = importlib.import_module("defects_drawn")
    proof = importlib.import_module("seeded_defects")


def tree(source):
    return ast.dump(ast.parse(source))


@pytest.fixture(scope="module")
def hundred():
    return drawn.draw(ROOT, 100, seed=0)


@pytest.fixture(scope="module")
def made_by_hand():
    return {defect.place: defect for defect in by_hand.make(ROOT)}


def test_defects_made_by_hand_still_fit_the_code_and_change_it(made_by_hand):
    assert len(made_by_hand) >= 20
    for defect in made_by_hand.values():
        assert tree(defect.source) != tree((ROOT / defect.file).read_text())


def test_a_text_that_is_not_there_once_is_refused():
    with pytest.raises(ValueError, match=r"has 'Array' \d+ times"):
        by_hand._make(ROOT, "any", "sknn/_array.py", ("Array", "List"))


def test_a_draw_can_be_repeated():
    path = ROOT / "sknn" / "_array.py"
    one, again, other = (
        drawn._Sites(path).draw(5, "any", random.Random(seed)) for seed in (0, 0, 1)
    )
    assert one == again != other


def test_drawn_defects_differ_and_change_the_code(hundred):
    assert len({defect.name for defect in hundred}) == 100
    for defect in hundred:
        assert defect.source != (ROOT / defect.file).read_text()


def test_every_room_has_its_share_of_drawn_defects(hundred):
    with_code = {f for f in drawn.files_of(ROOT) if not f.endswith("__init__.py")}
    assert {defect.file for defect in hundred} == with_code


@pytest.mark.parametrize(
    "statement",
    [
        '"""Add 1 and 2."""',
        "def f(x: list[1]) -> dict[2, 3]: ...",
        "x: list[1 + 2]",
        "class A:\n    def __repr__(self): return 1 + 2",
        "if TYPE_CHECKING:\n    x = 1 + 2",
        "x = f'{x + 1}'",
        "__all__ = [1]",
        "assert x > 1",
    ],
)
def test_texts_and_types_are_left_alone(statement, tmp_path):
    path = tmp_path / "code.py"
    path.write_text(statement)
    assert drawn._Sites(path).by_kind == {}


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("x + y", ["(x - y)"]),
        ("x < y", ["(x <= y)", "(x > y)"]),
        ("x and y", ["(x or y)", "(y)", "(x)"]),
        ("not x", ["(x)"]),
        ("f(x, y)", ["(f(y, x))"]),
        ("f(x=y)", ["(f())"]),
        ("np.add", ["(np.subtract)"]),
        ("x[:y]", ["(x[1:y])", "(x[:y - 1])"]),
        ("7", ["(8)", "(6)"]),
        ("True", ["(False)"]),
        ("y if x else z", ["(not x)"]),
        ("-x", ["(x)"]),
    ],
)
def test_each_kind_of_change_is_offered(code, changes, tmp_path):
    path = tmp_path / "code.py"
    path.write_text(f"a = lambda: {code}")
    offered = drawn._Sites(path).by_kind.values()
    assert [new for sites in offered for _, new, _ in sites] == changes


def test_only_the_changed_node_is_written_anew():
    text = "é = 'ä'; x = (a  +  b) * c  # as it is\n"
    node = ast.parse(text).body[1].value.left
    assert drawn.replaced(text, node, "(a - b)") == text.replace("a  +  b", "(a - b)")


def test_every_defect_has_tests_of_its_room_and_others(hundred, made_by_hand):
    for defect in [*hundred, *made_by_hand.values()]:
        own, neighbours, rest = proof.steps_of(defect.file)
        tests = own + neighbours + rest
        assert own and rest and len(tests) == len(set(tests))
        assert all((ROOT / path).is_file() for path in tests)


CAUGHT = {
    "Huber's delta is ignored": "tests/losses/test_regression.py"
    "::test_a_wide_huber_is_the_squared_error_and_a_narrow_one_the_absolute",
    "a file is not flushed to the disk": "tests/test_files.py"
    "::test_the_folder_is_synchronised_after_the_name_is_there",
    "patience ends an epoch early": "tests/training/test_stopping.py"
    "::test_patience_ends_with_one_epoch_more_than_are_borne",
}


def test_planted_defects_are_caught(tmp_path, made_by_hand):
    copy = proof.Copy(tmp_path)
    for name in CAUGHT:
        defect = made_by_hand[name]
        (copy.folder / defect.file).write_text(defect.source)
    command = [sys.executable, "-m", "pytest", "-q", "-rfE", "--tb=no"]
    done = subprocess.run(
        [*command, *CAUGHT.values()],
        cwd=copy.folder,
        env=os.environ | {"PYTHONPATH": str(copy.folder), "PYTEST_ADDOPTS": ""},
        capture_output=True,
        text=True,
    )
    for test in CAUGHT.values():
        assert f"FAILED {test}" in done.stdout, done.stdout + done.stderr
    assert proof._outcome(done.returncode, done.stdout, [])[0] == "failed"


def test_figures_are_told_with_and_without_what_changes_no_result(capsys, monkeypatch):
    outcomes = ["failed", "hung", "passed", "passed"]
    records = [
        {"name": name, "line": 1, "outcome": outcome}
        for name, outcome in zip("abcd", outcomes, strict=True)
    ]
    monkeypatch.setattr(proof, "EQUIVALENT", {"d": "for speed only"})
    proof.report(records)
    told = capsys.readouterr().out
    assert "caught: 2 of 4 (50.0%)" in told
    assert "without the 1 that change no result: 2 of 3 (66.7%)" in told
    assert "c (line 1): NOT CAUGHT\nd (line 1): for speed only" in told


def test_a_proof_goes_on_where_it_was_ended(tmp_path, made_by_hand, monkeypatch):
    defect, ran = made_by_hand["Huber's delta is ignored"], []

    def run_with(self, defect, tests, limit):
        ran.append(tests)
        return ("passed", None, "") if len(ran) < 4 else ("failed", "test", "assert")

    monkeypatch.setattr(proof.Copy, "__init__", lambda self, folder: None)
    monkeypatch.setattr(proof.Copy, "run_with", run_with)
    results = tmp_path / "results"
    for n_steps, outcome in (
        (1, "passed"),
        (2, "passed"),
        (3, "failed"),
        (3, "failed"),
    ):
        (record,) = proof.prove_all([defect], n_steps, results)
        assert record["outcome"] == outcome
    own, neighbours, rest = proof.steps_of(defect.file)
    words = "regression or SquaredError or AbsoluteError or Huber"
    assert ran == [["-k", words, *own], own, neighbours, rest]
