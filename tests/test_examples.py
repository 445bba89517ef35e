"""The scripts in examples/ run and print what they promise."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def run_example(name, *arguments, prepare="pass"):
    """Run a script in a process of its own, where warnings are no errors."""
    path = ROOT / "examples" / name
    script = (
        f"import runpy, sys; {prepare}; sys.argv[1:] = {list(map(str, arguments))}; "
        f"runpy.run_path({str(path)!r}, run_name='__main__')"
    )
    return subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )


@pytest.mark.skipif(
    importlib.util.find_spec("optuna") is None, reason="needs the package optuna"
)
def test_optuna_prunes_trials_and_counts_what_that_saved():
    done = run_example("optuna_pruning.py", 8)
    assert done.returncode == 0, done.stderr
    best, pruned, epochs = done.stdout.splitlines()
    assert 0.8 < float(re.search(r"accuracy ([\d.]+)", best)[1]) <= 1
    assert 0 < int(re.match(r"pruned (\d+) of 8", pruned)[1]) < 8
    assert int(re.search(r"up to (\d+) epochs", pruned)[1]) > 0
    assert 8 < int(re.match(r"trained (\d+)", epochs)[1]) < 8 * 60


def test_without_optuna_one_sentence_says_what_to_install():
    done = run_example("optuna_pruning.py", prepare="sys.modules['optuna'] = None")
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == ("This example needs Optuna: python -m pip install optuna\n")
