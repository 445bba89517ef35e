"""Data and fitted networks that several displays draw."""

import importlib.util

import pytest
from sklearn.datasets import load_iris
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknn import MLPClassifier

if importlib.util.find_spec("matplotlib") is None:
    collect_ignore_glob = ["test_*.py"]

# A schedule that ends with the epochs: nothing warns that training was too short.
SCHEDULE = {
    "learning_rate": "cosine",
    "learning_rate_init": 0.02,
    "max_iter": 8,
    "n_iter_no_change": 8,
    "random_state": 0,
}


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt = pytest.importorskip("matplotlib.pyplot")
    plt.close("all")


@pytest.fixture(scope="session")
def schedule():
    return dict(SCHEDULE)


@pytest.fixture(scope="session")
def frame():
    return load_iris(return_X_y=True, as_frame=True)


@pytest.fixture(scope="session")
def iris():
    return load_iris(return_X_y=True)


@pytest.fixture(scope="session")
def fitted(frame):
    network = MLPClassifier((6, 5), early_stopping=True, diagnostics=True, **SCHEDULE)
    return network.fit(*frame)


@pytest.fixture(scope="session")
def pipeline(frame):
    scaler = StandardScaler().set_output(transform="pandas")
    return make_pipeline(scaler, MLPClassifier((6,), **SCHEDULE)).fit(*frame)
