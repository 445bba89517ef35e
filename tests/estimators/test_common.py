"""scikit-learn's checks of estimators, for every estimator and solver."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from sknn import MLPClassifier, MLPEstimator, MLPRegressor

ESTIMATORS = [
    MLPClassifier(),
    MLPRegressor(),
    MLPEstimator(),
    MLPEstimator(task="classification"),
    MLPEstimator(task="regression"),
    MLPClassifier(solver="lbfgs"),
    MLPRegressor(solver="lbfgs"),
    MLPClassifier(solver="sgd"),
    MLPRegressor(solver="sgd"),
    MLPClassifier(early_stopping=True),
    MLPRegressor(early_stopping=True),
    MLPRegressor(loss="poisson", solver="lbfgs"),
]

_HELD_ROWS = (
    "a row that counts twice is either held out or trained on, two equal rows may be "
    "one of each: under early stopping the two cannot be the same"
)


def expected_failures(estimator):
    """Return the checks that cannot pass, each with its reason."""
    if estimator.early_stopping:
        return {
            "check_sample_weight_equivalence_on_dense_data": _HELD_ROWS,
            "check_sample_weight_equivalence_on_sparse_data": _HELD_ROWS,
        }
    if isinstance(estimator, MLPEstimator) and estimator.task == "auto":
        return {
            "check_classifiers_regression_target": "task='auto' takes floats for "
            "numbers and fits them, where a classifier has to refuse them"
        }
    if getattr(estimator, "loss", None) == "poisson":
        return {
            "check_regressor_multioutput": "the check draws targets below zero, though "
            "the tag positive_only says that the loss takes none"
        }
    return {}


# scikit-learn 1.6 hands pytest a generator, which pytest 9 warns about
_mark = parametrize_with_checks(
    ESTIMATORS, expected_failed_checks=expected_failures
).mark


@pytest.mark.filterwarnings("ignore")  # the checks fit for one epoch, on purpose
@pytest.mark.parametrize(_mark.args[0], list(_mark.args[1]), **_mark.kwargs)
def test_estimator_passes_check(estimator, check):
    check(estimator)
