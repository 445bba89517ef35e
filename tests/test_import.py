"""What `import sknn` brings along, leaves alone, and warns about."""

import ast
import importlib.metadata
import json
import os
import pathlib
import subprocess
import sys

import pytest

import sknn
from sknn import _versions

PACKAGE = pathlib.Path(sknn.__file__).parent

# scikit-learn is imported first: what it brings along (pandas, where it is installed)
# or changes is its own affair.
PROBE = """
import json, os, random, sys, warnings
import numpy as np
import sklearn.model_selection, sklearn.neural_network

def state():
    return {
        "warnings": repr(warnings.filters),
        "errstate": repr(np.geterr()),
        "numpy RNG": repr(np.random.get_state()),
        "RNG": repr(random.getstate()),
        "environment": dict(os.environ),
        "print options": repr(np.get_printoptions()),
    }

state_before, modules_before = state(), set(sys.modules)
import sknn
sknn.export  # imports what others need when something is exported to them
changed = [key for key, value in state().items() if value != state_before[key]]
added = {name.partition(".")[0] for name in set(sys.modules) - modules_before}
print(json.dumps({"added": sorted(added), "changed": changed}))
"""


def run_python(*arguments):
    """Run Python with this sknn, installed or not, and return what it wrote."""
    return subprocess.run(
        [sys.executable, *arguments],
        env=os.environ | {"PYTHONPATH": str(PACKAGE.parent)},
        capture_output=True,
        text=True,
        check=True,
    )


@pytest.fixture(scope="module")
def probe():
    return json.loads(run_python("-W", "error", "-c", PROBE).stdout)


@pytest.mark.parametrize(
    "package",
    [
        *("shap", "lime", "matplotlib", "pandas", "polars"),
        *("onnx", "onnxruntime", "skl2onnx", "torch"),
    ],
)
def test_import_pulls_in_no_optional_package(probe, package):
    assert package not in probe["added"]


def test_import_changes_no_global_state(probe):
    assert probe["changed"] == []


def test_public_names_exist():
    missing = [name for name in sknn.__all__ if not hasattr(sknn, name)]
    assert missing == []


def test_a_present_scikit_neuralnetwork_is_warned_of_once_at_import(tmp_path):
    info = tmp_path / "scikit_neuralnetwork-0.7.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Name: scikit-neuralnetwork\nVersion: 0.7\n")
    script = tmp_path / "script.py"
    script.write_text("import sknn\nimport sknn\nfrom sknn import MLPClassifier\n")
    errors = run_python(str(script)).stderr
    assert errors.count("UserWarning") == 1
    assert "script.py:1: UserWarning" in errors
    assert "`pip uninstall scikit-neuralnetwork`" in errors


def test_an_absent_scikit_neuralnetwork_is_not_warned_of(recwarn):
    _versions.warn_of_name_clash()
    assert not recwarn


def test_show_versions_names_what_a_bug_report_needs(capsys):
    assert sknn.show_versions() is None
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert f"python: {sys.version.split()[0]}" in lines
    assert f"sknn: {sknn.__version__}" in lines
    for name in ("numpy", "scipy", "scikit-learn"):
        assert f"{name}: {importlib.metadata.version(name)}" in lines
    assert any(line.startswith("blas: ") for line in lines)


def test_show_versions_says_what_is_not_installed(monkeypatch, capsys):
    monkeypatch.setattr(_versions, "OPTIONAL", ("no-such-package-at-all",))
    sknn.show_versions()
    assert "no-such-package-at-all: not installed" in capsys.readouterr().out


def _imported_names(path):
    """Dotted names that a module imports, private parts included."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize(
    "path",
    sorted(PACKAGE.rglob("*.py")),
    ids=lambda path: str(path.relative_to(PACKAGE)),
)
def test_private_names_of_scikit_learn_stay_in_one_room(path):
    if path == PACKAGE / "estimators" / "_sklearn.py":
        pytest.skip("this is the room")
    private = [
        name
        for name in _imported_names(path)
        if name.startswith("sklearn.") and "._" in name
    ]
    assert private == []
