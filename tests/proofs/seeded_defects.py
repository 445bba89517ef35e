"""Plant defects in a copy of the code, one at a time: tests of ours must fail on each.

    python tests/proofs/seeded_defects.py [--count 100] [--seed 0] [--by-hand]
        [--results FILE] [--only NAME] [--steps 3]

Drawn defects are shared out over the rooms of floors 1 to 6 by their size, those made
by hand are in `defects_by_hand.py`. Tests run in three steps until one fails: those of
the room, those of its neighbours, all that can be concerned. Each result is a line of
JSON in FILE; a run that was ended goes on there, and one with more steps takes up what
fewer did not catch. At the end, all tests that caught something must pass without any
defect.
"""

import argparse
import ast
import importlib
import json
import os
import re
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parent))

import defects_by_hand
import defects_drawn
import pytest

ROOT = Path(__file__).parents[2]
# Loaded once, by the process whose forks run the tests: most of what a run would take.
LOADED = (
    "hypothesis",
    "pandas",
    "scipy.optimize",
    "scipy.sparse",
    "scipy.special",
    "sklearn.datasets",
    "sklearn.ensemble",
    "sklearn.model_selection",
    "sklearn.pipeline",
    "sklearn.utils.estimator_checks",
)
LIMITS = (240, 600, 3600)  # seconds for each step; a test that hangs has caught it

# Tests of a room that stand under another name.
ELSEWHERE = {
    "layers/columns": "layers/test_embedding",
    "layers/numeric": "layers/test_embedding",
}
NEIGHBOURS = {
    "_array": "test_network test_objective test_sparse_training layers",
    "_files": "test_tensors callbacks/test_checkpoint",
    "_params": "test_schedules test_optimizers losses",
    "_tensors": "test_files",
    "initializers": "test_network layers",
    "schedules": "training/test_trainer training/test_cycle_patience",
    "activations": "layers test_network",
    "losses": "test_objective training/test_divergence",
    "optimizers": "test_sparse_training training/test_trainer training/test_stack",
    "tape": "layers test_network test_objective",
    "layers": "test_network test_objective",
    "network": "test_objective layers training/test_trainer training/test_stack",
    "objective": "test_sparse_training training/test_trainer training/test_stack",
    "callbacks": "estimators/test_callbacks estimators/test_mlp_callbacks",
    "training": "test_sparse_training test_optimizers",
    "training/perceptron": "parity/test_perceptron estimators/test_perceptron "
    "estimators/test_perceptron_promises",
    "estimators": "parity/test_mlp estimators/test_validation estimators/test_resume "
    "estimators/test_losses_in_fits estimators/test_solvers estimators/test_divergence",
}
EVERYTHING = (
    "test_array test_files test_params test_tensors test_initializers test_schedules "
    "test_activations test_tape test_network test_objective test_optimizers "
    "test_sparse_training losses layers training callbacks parity estimators "
    "test_docstrings"
)


def read_equivalents(path):
    """Return the reasons why defects change no result, by their names."""
    lines = [line for line in path.read_text().splitlines() if line[:1] != "#"]
    names, reasons = lines[1::3], lines[2::3]
    return dict(zip(names, map(str.strip, reasons), strict=True))


EQUIVALENT = read_equivalents(Path(__file__).with_name("defects_equivalent.txt"))


def steps_of(file):
    """Return the paths of tests to run for a defect in a file, step by step."""
    own, neighbours = _own_tests(file), _neighbours(file)
    steps = [own, neighbours, _paths(EVERYTHING)]
    seen = set()
    for i, step in enumerate(steps):
        tests = [path for given in step for path in _files_in(given)]
        steps[i] = [path for path in tests if path not in seen]
        seen.update(steps[i])
    return [[path.relative_to(ROOT).as_posix() for path in step] for step in steps]


def words_of(file):
    """Return an expression for `pytest -k` that finds tests about a file by name."""
    tree = ast.parse((ROOT / file).read_text())
    names = [node.name for node in tree.body if isinstance(node, ast.ClassDef)]
    return " or ".join([Path(file).stem.lstrip("_"), *names])


def _own_tests(file):
    """Return the tests that mirror a file: of its name, or else of its folder."""
    room = Path(file).relative_to("sknn").with_suffix("")
    if room.as_posix() in ELSEWHERE:
        return _paths(ELSEWHERE[room.as_posix()])
    tests = ROOT / "tests" / room.parent
    while not (tests.is_dir() or tests.with_name(f"test_{tests.name}.py").exists()):
        tests = tests.parent
    mirror = tests / f"test_{room.name.lstrip('_')}.py"
    if mirror.exists():
        return [mirror]
    whole = tests.with_name(f"test_{tests.name}.py")  # optimizers, perceptron
    if whole.exists():
        return [whole]
    general = "test_mlp.py" if tests.name == "estimators" else f"test_{tests.name}.py"
    return [tests / general] if (tests / general).exists() else [tests]


def _neighbours(file):
    room = Path(file).relative_to("sknn").with_suffix("")
    folder = [] if room.parent == Path() else [ROOT / "tests" / room.parent]
    if room.parts[0] == "estimators":
        folder = []  # several minutes
    names = [name for name in NEIGHBOURS if f"{room}/".startswith(f"{name}/")]
    return [p for p in folder if p.is_dir()] + _paths(NEIGHBOURS[max(names, key=len)])


def _paths(names):
    paths = [ROOT / "tests" / name for name in names.split()]
    return [p if p.is_dir() else p.with_suffix(".py") for p in paths]


def _files_in(path):
    return sorted(path.rglob("test_*.py")) if path.is_dir() else [path]


class Copy:
    """A copy of the tree in which defects are planted.

    Parameters
    ----------
    folder : Path
        Where it is; empty.
    """

    def __init__(self, folder):
        self.folder, self.n_planted = folder, 0
        for name in ("sknn", "tests"):
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / name, folder / name, ignore=ignored)
        shutil.copy(ROOT / "pyproject.toml", folder)

    def run_with(self, defect, tests, limit):
        """Return what came of tests under a defect, and the first test that failed."""
        path = self.folder / defect.file
        original, changed = path.read_text(), path.stat().st_mtime
        self.n_planted += 1
        try:
            path.write_text(defect.source)
            # Python takes its compiled code for that of any file of this time and size.
            os.utime(path, (changed, changed + 60 * self.n_planted))
            return self.run(tests, limit)
        finally:
            path.write_text(original)
            os.utime(path, (changed, changed))

    def run(self, tests, limit=None):
        """Run tests until one fails; return "passed", or how and which one failed."""
        with tempfile.TemporaryFile("w+", errors="replace") as output:
            process = os.fork()
            if process == 0:
                self._run_here(tests, output)
            status = _wait(process, limit)
            output.seek(0)
            return _outcome(status, output.read(), tests)

    def _run_here(self, tests, output):
        """Turn this process, which has all packages loaded, into one of pytest."""
        try:
            os.setsid()
            os.dup2(output.fileno(), 1)
            os.dup2(output.fileno(), 2)
            os.chdir(self.folder)
            os.environ |= {
                "PYTHONPATH": str(self.folder),
                "PYTEST_ADDOPTS": "",
                "COLUMNS": "300",  # else the summary is cut off
            }
            sys.path[0] = str(self.folder)
            ignored = "ignore::pytest.PytestAssertRewriteWarning"  # all are loaded
            options = ["-x", "-q", "-rfE", "--tb=no", "-p", "no:cacheprovider"]
            status = pytest.main([*options, "-W", ignored, *tests])
            sys.stdout.flush()
            os._exit(status)
        finally:
            os._exit(99)


def _wait(process, limit):
    """Return the exit status of a process; end it and return None at the limit."""
    begin = time.monotonic()
    while True:
        ended, status = os.waitpid(process, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        if limit is not None and time.monotonic() - begin > limit:
            os.killpg(process, signal.SIGKILL)
            os.waitpid(process, 0)
            return None
        time.sleep(0.02)


def _outcome(status, output, tests):
    """Return how pytest ended, the first test that failed, and its error."""
    if status in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        return "passed", None, ""
    if status is None or status < 0:
        what = "hung" if status is None else "crashed"
        return what, f"within {tests[0]} … {tests[-1]}", ""
    found = re.search(r"^(?:FAILED|ERROR) (\S.*?)(?: - (.*))?$", output, re.M)
    if status not in (1, 2) or not found:
        raise RuntimeError(f"pytest ended with {status}:\n{output}")
    return "failed", found[1], (found[2] or "")[:200]


def prove(copy, defect, record, n_steps):
    """Run the steps that a record does not have yet; return the new record."""
    record = record or {
        "name": defect.name,
        "file": defect.file,
        "line": defect.line,
        "place": defect.place,
        "kind": defect.kind,
        "old": defect.old,
        "new": defect.new,
        "step": 0,
        "seconds": 0.0,
        "outcome": "passed",
        "test": None,
        "why": "",
    }
    steps = steps_of(defect.file)
    if defect.name in EQUIVALENT:  # what cannot be caught need not go through all
        n_steps = 1
    while record["step"] < n_steps and record["outcome"] == "passed":
        step, begin = record["step"], time.perf_counter()
        runs = [steps[step]] if steps[step] else []
        if step == 0:  # those that tell of it first: all can take half a minute
            runs.insert(0, ["-k", words_of(defect.file), *steps[step]])
        for tests in runs:
            outcome = copy.run_with(defect, tests, LIMITS[step])
            record["outcome"], record["test"], record["why"] = outcome
            if record["outcome"] != "passed":
                break
        record["step"] += 1
        record["seconds"] += round(time.perf_counter() - begin, 1)
    return record


def read(path):
    """Return the last record of each defect in a file of results."""
    if path is None or not path.exists():
        return {}
    records = map(json.loads, path.read_text().splitlines())
    return {record["name"]: record for record in records}


def prove_all(defects, n_steps, path):
    """Yield the record of each defect."""
    records = read(path)
    with tempfile.TemporaryDirectory() as folder:
        copy = Copy(Path(folder))
        for defect in defects:
            record = records.get(defect.name)
            before = record and record["step"]
            record = prove(copy, defect, record, n_steps)
            if path is not None and record["step"] != before:
                with path.open("a") as file:
                    file.write(json.dumps(record, ensure_ascii=False) + "\n")
            yield record


def control(records):
    """Return a test that fails without any defect, of those that caught one."""
    tests = {r["test"] for r in records if r["outcome"] == "failed"}
    if not tests:
        return None
    with tempfile.TemporaryDirectory() as folder:
        return Copy(Path(folder)).run(sorted(tests))[1]


def report(records):
    """Print figures and survivors."""
    outcomes = Counter(r["outcome"] for r in records)
    print("\n" + ", ".join(f"{n} {what}" for what, n in sorted(outcomes.items())))
    survivors = [r for r in records if r["outcome"] == "passed"]
    unknown = [r for r in survivors if r["name"] not in EQUIVALENT]
    n, caught = len(records), len(records) - len(survivors)
    differing = caught + len(unknown)
    print(f"caught: {caught} of {n} ({caught / n:.1%})")
    print(
        f"without the {n - differing} that change no result: {caught} of {differing} "
        f"({caught / max(1, differing):.1%})"
    )
    for record in survivors:
        reason = EQUIVALENT.get(record["name"], "NOT CAUGHT")
        print(f"{record['name']} (line {record['line']}): {reason}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=100, help="defects to draw")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--by-hand", action="store_true", help="also those by hand")
    parser.add_argument("--results", type=Path, help="file of JSON lines to go on in")
    parser.add_argument("--only", nargs="*", default=[""], help="parts of names")
    parser.add_argument("--steps", type=int, default=3, choices=(1, 2, 3))
    given = parser.parse_args()
    defects = defects_by_hand.make(ROOT) if given.by_hand else []
    defects += defects_drawn.draw(ROOT, given.count, given.seed) if given.count else []
    defects = [d for d in defects if any(part in d.name for part in given.only)]
    if len(defects) > 5:
        for name in LOADED:
            importlib.import_module(name)
    records = []
    for record in prove_all(defects, given.steps, given.results):
        records.append(record)
        found = record["test"] or "NOT CAUGHT"
        print(f"{record['seconds']:6.1f} s  {record['name']}\n          {found}")
        sys.stdout.flush()
    report(records)
    failing = control(records)
    if failing:
        sys.exit(f"fails without a defect, too: {failing}")


if __name__ == "__main__":
    main()
