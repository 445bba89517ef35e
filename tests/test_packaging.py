"""What a wheel carries, and what it says of itself."""

import importlib.metadata
import pathlib
import subprocess
import sys
import tomllib
import zipfile
from email import message_from_bytes

import pytest

import sknn

ROOT = pathlib.Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    pytest.importorskip("hatchling")
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (path,) = folder.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        yield archive


@pytest.fixture(scope="module")
def metadata(wheel):
    (name,) = (n for n in wheel.namelist() if n.endswith(".dist-info/METADATA"))
    return message_from_bytes(wheel.read(name))


def test_the_installed_version_is_the_one_in_the_code():
    try:
        installed = importlib.metadata.version("sknn")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("imported from its source, not installed")
    assert installed == sknn.__version__


def test_the_wheel_has_the_version_of_the_code(metadata):
    assert (metadata["Name"], metadata["Version"]) == ("sknn", sknn.__version__)


def test_the_wheel_holds_every_file_of_the_package_and_nothing_else(wheel):
    ours = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "sknn").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    packed = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert packed == ours
    assert "sknn/py.typed" in packed


def test_the_wheel_carries_the_license(wheel, metadata):
    assert metadata["License-Expression"] == "BSD-3-Clause"
    assert any(name.endswith("licenses/LICENSE") for name in wheel.namelist())


def test_the_wheel_offers_the_extras(metadata):
    assert set(metadata.get_all("Provides-Extra")) == {
        "all",
        "dev",
        "docs",
        "explain",
        "onnx",
        "plot",
        "test",
    }


def test_the_core_needs_three_packages(metadata):
    needs = {r for r in metadata.get_all("Requires-Dist") if "extra ==" not in r}
    assert {need.partition(">=")[0] for need in needs} == {
        "numpy",
        "scipy",
        "scikit-learn",
    }


def test_the_citation_has_the_version_of_the_code():
    lines = (ROOT / "CITATION.cff").read_text(encoding="utf-8").splitlines()
    assert f"version: {sknn.__version__}" in lines


def test_the_changelog_has_a_page_for_the_version_of_the_code():
    assert (ROOT / "docs" / "changes" / f"{sknn.__version__}.md").is_file()


def test_all_is_the_sum_of_the_optional_parts():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    extras = project["project"]["optional-dependencies"]
    assert extras["all"] == ["sknn[explain,plot,onnx]"]
