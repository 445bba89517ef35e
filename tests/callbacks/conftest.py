import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.preprocessing import StandardScaler

from sknn.callbacks import EpochInfo


@pytest.fixture(scope="session")
def iris():
    X, y = load_iris(return_X_y=True)
    return StandardScaler().fit_transform(X), y


@pytest.fixture(scope="session")
def epoch():
    """Make what a callback is told: ``epoch(number, **other)``."""

    def make(number=1, **other):
        values = {
            "number": number,
            "iteration": number,
            "max_iter": 10,
            "loss": 1 / number,
            "history": {},
            "time": 1.0,
            "elapsed": float(number),
            "model": lambda: np.arange(number),
            "store": lambda path: path.write_text(str(number)),
            "learning_rate": 0.001,
        }
        return EpochInfo(**(values | other))

    return make
