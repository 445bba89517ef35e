"""What tests of single losses share."""

import numpy as np
import pytest
from scipy.optimize import minimize

from sknn.tape import Tape


def _evaluate(loss, y, raw, w=None):
    gradient = np.full_like(raw, np.nan)
    value = loss.value_and_gradient(y, raw, w, gradient, Tape())
    return value, gradient


@pytest.fixture(scope="session")
def evaluate():
    """Value and gradient of a loss: ``evaluate(loss, y, raw, w)``."""
    return _evaluate


@pytest.fixture(scope="session")
def best_constant():
    """Raw predictions that fit best if all samples get the same."""

    def fit(loss, y, w=None, start=None):
        def objective(constant):
            raw = np.repeat(constant[None], len(y), axis=0)
            value, gradient = _evaluate(loss, y, raw, w)
            return value, gradient.sum(axis=0)

        start = np.zeros(loss.n_raw(y.shape[1])) if start is None else start
        found = minimize(objective, start, jac=True, options={"gtol": 1e-10})
        return found.x[None]

    return fit
