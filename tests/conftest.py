"""What every test runs under: one BLAS thread, no screen, no network."""

import os

# Read when the libraries load, and passed on to workers: before any other import.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
os.environ.setdefault("MPLBACKEND", "Agg")

import doctest
import importlib.util
import pathlib
import socket
import zlib

import numpy as np
import pytest
from hypothesis import settings

# Ordinary runs must not fail by chance, the long one is there to look for trouble:
# `pytest --hypothesis-profile=long -m hypothesis`, over 20 000 examples in all.
settings.register_profile("ordinary", derandomize=True, deadline=None)
settings.register_profile("long", max_examples=2_000, deadline=None, print_blob=True)
settings.register_profile("short", derandomize=True, deadline=None, max_examples=10)
settings.load_profile("ordinary")

_NETWORK_FAMILIES = {socket.AF_INET, socket.AF_INET6}
_patch = pytest.MonkeyPatch()


class NetworkBlockedError(RuntimeError):
    """A test tried to reach another machine.

    No OSError: code that takes a missing network in its stride would hide it.
    """


def _is_local(host: str) -> bool:
    return host in ("localhost", "::1", "") or host.startswith("127.")


def _guarded(connect):
    def guard(self, address):
        if self.family in _NETWORK_FAMILIES and not _is_local(address[0]):
            raise NetworkBlockedError(
                f"tests run without network, but one connects to {address[0]!r}"
            )
        return connect(self, address)

    return guard


def pytest_addoption(parser):
    """Offer a shorter run for another set of versions."""
    parser.addoption(
        "--share",
        type=int,
        default=1,
        metavar="N",
        help="of each test's sets of parameters run the first and one in N others",
    )


def pytest_collection_modifyitems(config, items):
    """Leave sets of parameters out, the same ones in every process and run."""
    share, seen, kept = config.getoption("--share"), set(), []
    if share == 1:
        return
    for item in items:
        test = item.nodeid.partition("[")[0]
        drawn = zlib.crc32(item.nodeid.encode()) % share == 0
        if drawn or test not in seen:
            kept.append(item)
        seen.add(test)
    left_out = set(items).difference(kept)
    config.hook.pytest_deselected(items=list(left_out))
    items[:] = kept


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    """Let estimators without a random state draw the same in each run."""
    np.random.seed(0)


def pytest_configure():
    """Refuse connections beyond this machine for the whole run."""
    for method in ("connect", "connect_ex"):
        _patch.setattr(socket.socket, method, _guarded(getattr(socket.socket, method)))


def pytest_unconfigure():
    """Give the sockets back."""
    _patch.undo()


def _differences(function, x, h=2e-4):
    """Return the gradient of ``function()`` by the entries of `x`, which it reads.

    Central differences over 4 points: their error falls with the fourth power of `h`.
    `x` is as before when this returns.
    """
    gradient = np.empty_like(x)
    for i in np.ndindex(x.shape):
        kept, at = x[i], {}
        for k in (-2, -1, 1, 2):
            x[i] = kept + k * h
            at[k] = function()
        x[i] = kept
        gradient[i] = (8 * (at[1] - at[-1]) - (at[2] - at[-2])) / (12 * h)
    return gradient


@pytest.fixture(scope="session")
def differences():
    """The oracle of every gradient: ``differences(function, x)``."""
    return _differences


# What examples with these words need beside sknn.
_NEEDED = {
    "explain": ("shap", "lime"),
    "to_onnx": ("onnx", "onnxruntime"),
    "skl2onnx": ("skl2onnx",),
}


def _place_in_the_global_stream():
    _, words, position, *_ = np.random.get_state()
    return words.tobytes(), position


@pytest.fixture
def run_examples(tmp_path, monkeypatch):
    """Return a function that runs the examples of a page or docstring in a folder.

    They print what they say, and whoever runs them gets the same: none draws from
    NumPy's global generator, as an estimator without a random state would.
    """

    def run(test: doctest.DocTest):
        sources = "".join(example.source for example in test.examples)
        for word, packages in _NEEDED.items():
            if word in sources:
                for package in packages:
                    pytest.importorskip(package)
        monkeypatch.chdir(tmp_path)
        before, report = _place_in_the_global_stream(), []
        flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
        doctest.DocTestRunner(optionflags=flags).run(test, out=report.append)
        assert not report, "".join(report)
        drawn = _place_in_the_global_stream() != before
        assert not drawn, "an estimator or splitter has no random_state"

    return run


@pytest.fixture(scope="session")
def load_proof():
    """Import a script of ``tests/proofs`` by its name; the short form is a test."""

    def load(name):
        folder = pathlib.Path(__file__).parent / "proofs"
        spec = importlib.util.spec_from_file_location(name, folder / f"{name}.py")
        module = importlib.util.module_from_spec(spec)
        with pytest.MonkeyPatch.context() as patch:
            patch.syspath_prepend(folder)  # they import one another
            spec.loader.exec_module(module)
        return module

    return load
