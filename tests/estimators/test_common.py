"""scikit-learn's checks of estimators, for every estimator and solver."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks
from sklearn.utils.fixes import parse_version

from sknn import (
    MLPAutoencoder,
    MLPClassifier,
    MLPEnsembleClassifier,
    MLPEnsembleRegressor,
    MLPEstimator,
    MLPRegressor,
    MLPTransformer,
    PerceptronClassifier,
    TabularMLPClassifier,
    TabularMLPRegressor,
)
from sknn.estimators._sklearn import SKLEARN_VERSION
from sknn.layers import Activation, BatchNorm, Dense

ESTIMATORS = [
    MLPClassifier(),
    MLPRegressor(),
    MLPEstimator(),
    # Beside the defaults, networks that are small enough to learn in few epochs.
    MLPEstimator((20,), task="classification", learning_rate_init=0.01, max_iter=60),
    MLPEstimator((20,), task="regression", learning_rate_init=0.01, max_iter=60),
    MLPClassifier((20,), solver="lbfgs"),
    MLPRegressor(hidden_layer_sizes=(20,), solver="lbfgs"),
    MLPClassifier((20,), solver="sgd", learning_rate_init=0.1, max_iter=60),
    MLPRegressor(solver="sgd"),
    MLPClassifier(early_stopping=True),
    MLPRegressor(early_stopping=True),
    MLPRegressor(loss="poisson", solver="lbfgs"),
    MLPClassifier(
        (8, 8),
        learning_rate_init=0.01,
        normalization="layer",
        residual=True,
        max_iter=60,
    ),
    MLPClassifier(
        layers=[Dense(8), BatchNorm(), Activation("gelu")], solver="lbfgs", max_iter=40
    ),
    MLPClassifier(numeric_embedding="pbld", solver="lbfgs"),
    MLPRegressor(missing="indicator"),
    MLPClassifier(categorical_features="from_dtype"),
    MLPRegressor(
        "quantile",
        (20,),
        quantile=[0.1, 0.5, 0.9],
        normalize_y=True,
        learning_rate_init=0.01,
    ),
    MLPClassifier(average="swa", solver="adamw", learning_rate="cosine", loss="focal"),
    MLPAutoencoder(),
    MLPAutoencoder(1, (), solver="lbfgs", dtype="float64"),
    MLPTransformer(),
    MLPTransformer(MLPClassifier((5, 4), solver="lbfgs"), layer=0),
    MLPEnsembleClassifier(MLPClassifier((8,), learning_rate_init=0.02, max_iter=60), 2),
    MLPEnsembleRegressor(
        MLPRegressor(hidden_layer_sizes=(8,), solver="lbfgs", max_iter=60),
        3,
        resampling="folds",
    ),
    # float64, as some checks compare to more digits than float32 has
    TabularMLPClassifier(
        1,
        hidden_layer_sizes=(8,),
        activation="relu",
        dropout=0.0,
        numeric_embedding=None,
        learning_rate_init=0.1,
        max_iter=20,
        min_steps=0,
        batch_size=64,
        dtype="float64",
    ),
    TabularMLPRegressor(
        2,
        hidden_layer_sizes=(8,),
        activation="relu",
        dropout=0.0,
        numeric_embedding="pbld",
        learning_rate_init=0.1,
        max_iter=20,
        min_steps=0,
        batch_size=64,
        dtype="float64",
    ),
    PerceptronClassifier(),
    PerceptronClassifier(early_stopping=True),
    PerceptronClassifier(multi_class="joint"),
    PerceptronClassifier(average=True),
    PerceptronClassifier(pocket=True),
    PerceptronClassifier(penalty="elasticnet"),
]

_HELD_ROWS = (
    "a row that counts twice is either held out or trained on, two equal rows may be "
    "one of each: under early stopping the two cannot be the same"
)

_ORDER = (
    "the perceptron learns sample by sample: a sample that comes twice is looked at "
    "again after the first update, one of weight two is not"
)

_DRAWN = "samples are drawn whatever they weigh, two equal ones into different folds"

_VARIANCE = (
    "batch normalisation predicts with the unbiased variance, whose factor n / (n - 1) "
    "depends on the number of rows, as PyTorch's does"
)


def expected_failures(estimator):
    """Return the checks that cannot pass, each with its reason."""
    if isinstance(estimator, (TabularMLPClassifier, TabularMLPRegressor)):
        return {"check_sample_weight_equivalence_on_dense_data": _DRAWN}
    return {**_failures_of_old_versions(estimator), **_failures(estimator)}


def _failures_of_old_versions(estimator):
    if parse_version("1.7") <= SKLEARN_VERSION:
        return {}
    if getattr(estimator, "categorical_features", None) is not None:
        return {
            "check_positive_only_tag_during_fit": "scikit-learn 1.6 makes integers "
            "of X under the tag `categorical` and then subtracts floats in place"
        }
    if getattr(estimator, "numeric_embedding", None) is not None:
        return {
            "check_sample_weight_equivalence_on_sparse_data": "scikit-learn 1.6 "
            "passes sparse X where the tag `sparse` is False"
        }
    return {}


def _failures(estimator):
    if getattr(estimator, "early_stopping", False) or isinstance(
        estimator, PerceptronClassifier
    ):
        reason = _HELD_ROWS if estimator.early_stopping else _ORDER
        return {
            "check_sample_weight_equivalence_on_dense_data": reason,
            "check_sample_weight_equivalence_on_sparse_data": reason,
        }
    if getattr(estimator, "resampling", None) is not None:
        return {
            "check_sample_weight_equivalence_on_dense_data": _DRAWN,
            "check_sample_weight_equivalence_on_sparse_data": _DRAWN,
        }
    if getattr(estimator, "layers", None) is not None:
        return {
            "check_sample_weight_equivalence_on_dense_data": _VARIANCE,
            "check_sample_weight_equivalence_on_sparse_data": _VARIANCE,
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
