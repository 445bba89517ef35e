"""scikit-learn's own tests of its MLP, as installed, run against ours.

Nothing of them is copied: the installed module is imported with our classes under the
names that it imports.
"""

import importlib.util
from unittest import mock

import pytest
import sklearn.neural_network
from sklearn.utils.fixes import parse_version

from sknn import MLPClassifier, MLPRegressor
from sknn.estimators._sklearn import SKLEARN_VERSION

# Tests of what is no interface, or of what docs/deviations.md does otherwise.
NOT_OURS = {
    "test_fit": "builds scikit-learn's private state by hand",
    "test_gradient": "calls scikit-learn's private loss function",
    "test_early_stopping_stratified": "deviation 11",
    "test_mlp_partial_fit_after_fit": "deviation 8",
}


def _load():
    name = "sklearn.neural_network.tests.test_mlp"
    spec = importlib.util.find_spec(name)
    module = importlib.util.module_from_spec(spec)
    with mock.patch.multiple(
        sklearn.neural_network,
        MLPClassifier=MLPClassifier,
        MLPRegressor=MLPRegressor,
    ):
        spec.loader.exec_module(module)
    return module


if parse_version("1.9") > SKLEARN_VERSION:
    pytest.skip("the suite is that of scikit-learn 1.9", allow_module_level=True)

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore::RuntimeWarning"),
    pytest.mark.filterwarnings("ignore:Got `batch_size`:UserWarning"),
]

_suite = _load()
assert _suite.MLPClassifier is MLPClassifier
globals().update(
    {
        name: test
        for name, test in vars(_suite).items()
        if name.startswith("test_") and name not in NOT_OURS
    }
)


@pytest.fixture
def global_random_seed():
    return 42


def test_the_exceptions_are_still_in_the_suite():
    assert set(NOT_OURS) <= set(vars(_suite))
