"""Data, fits of a few steps, and a runtime for what has been exported."""

import warnings

import numpy as np
import pytest

N, N_IN = 40, 4


@pytest.fixture(scope="session")
def run():
    """Outputs by name of an ONNX model for one array, or for a dict of inputs."""
    onnxruntime = pytest.importorskip("onnxruntime")

    def run(model, X):
        session = onnxruntime.InferenceSession(
            model.SerializeToString(), providers=["CPUExecutionProvider"]
        )
        names = [output.name for output in session.get_outputs()]
        given = X if isinstance(X, dict) else {session.get_inputs()[0].name: X}
        return dict(zip(names, session.run(None, given), strict=True))

    return run


@pytest.fixture(scope="session")
def fit():
    """Fit for a few steps: exports do not ask how good a model is."""

    def fit(model, X, y=None):
        names = model.get_params(deep=True)
        few = {name: 4 for name in names if name.endswith("max_iter")}
        seeds = {name: 0 for name in names if name == "random_state"}
        model.set_params(**few, **seeds)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # not converged, on purpose
            return model.fit(X, y)

    return fit


@pytest.fixture(scope="session")
def numbers():
    """Rows of plain numbers and a score that depends on them."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(N, N_IN))
    return X, X[:, 0] * X[:, 1] + X[:, 2]
