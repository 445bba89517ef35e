"""Every constructor parameter refuses what its row does not allow, by name.

The rows that validate drive the first table; what only contradicts another parameter,
or lies within an object, follows case by case.
"""

import inspect
import re
import types
from decimal import Decimal
from fractions import Fraction
from functools import partial

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold

from sknn import MLPClassifier, MLPEnsembleClassifier, MLPRegressor, MLPTransformer
from sknn.callbacks import TimeLimit
from sknn.estimators._parameters import InvalidParameterError
from sknn.estimators._perceptron_parameters import PARAMETERS as OF_PERCEPTRON
from sknn.initializers import Glorot, Normal, Orthogonal, Uniform
from sknn.layers import (
    Activation,
    BatchNorm,
    Dense,
    Dropout,
    Embedding,
    LayerNorm,
    Residual,
)
from sknn.losses import (
    BinaryFocalLoss,
    BinaryLogLoss,
    GaussianNLL,
    Huber,
    Quantile,
    SquaredError,
    Tweedie,
)
from sknn.optimizers import SGD, Adam, RMSProp
from sknn.schedules import Adaptive, Cosine, OneCycle, Plateau, Schedule, Step, Warmup
from sknn.training.averaging import EMA, SWA
from tests.estimators.outcomes import (
    CODES,
    MODELS,
    NUMBERS,
    N,
    X,
    assert_refused,
    quiet,
    target,
)

# Of every kind; each parameter refuses those that its row does not allow.
VALUES = {
    "a word": "nonsense",
    "an empty string": "",
    "bytes": b"adam",
    "a number as a string": "0.5",
    "None as a string": "None",
    "minus one": -1,
    "minus one and a half": -1.5,
    "zero": 0,
    "0.0": 0.0,
    "1.0": 1.0,
    "one and a half": 1.5,
    "two": 2,
    "NaN": np.nan,
    "infinity": np.inf,
    "minus infinity": -np.inf,
    "None": None,
    "True": True,
    "np.True_": np.True_,
    "a list": [],
    "a list of None": [None],
    "a list of words": ["nonsense"],
    "a list of negative numbers": [-1],
    "a list of lists": [[4]],
    "a dict": {"a": 1},
    "a set": {4},
    "a generator": (i for i in [4]),
    "an array": np.array([1.5, 2.5]),
    "an array of NaN": np.array([np.nan]),
    "an array of no dimension": np.array(0.5),
    "a matrix": np.ones((2, 2)),
    "an int beyond 64 bits": 2**64,
    "an int beyond float64": 10**400,
    "a complex number": 1j,
    "Decimal": Decimal("0.5"),
    "Fraction": Fraction(1, 2),
    "an object": object(),
    "a class": int,
    "a module": np,
    "an estimator": LogisticRegression(),
    "an estimator's class": LogisticRegression,
    "an optimiser's class": Adam,
    "a layer's class": Dense,
    "a list of a layer's class": [Dense],
    "NotImplemented": NotImplemented,
}
WITH_ROWS = [name for name in MODELS if name != "MLPTransformer"]
PARAMETERS = {
    f"{name}, {parameter}": (name, parameter)
    for name in WITH_ROWS
    for parameter in inspect.signature(type(MODELS[name]())).parameters
}
# Each parameter of one of the estimators that have it; the proof takes all of them.
BY_NAME = {}
for _case, (_, _parameter) in PARAMETERS.items():
    BY_NAME.setdefault(_parameter, []).append(_case)
SOME = [cases[i % len(cases)] for i, cases in enumerate(BY_NAME.values())]


def rows_of(model):
    return getattr(model, "_rows", OF_PERCEPTRON)


def check_parameter(name, parameter, value):
    """A value that is not allowed is refused; None is returned where it is allowed."""
    model = MODELS[name]()
    if rows_of(model)[parameter].allowed.check(value):
        return None
    words = rf"The '{parameter}' parameter of {type(model).__name__} must be.*Got "
    model.set_params(**{parameter: value})
    assert_refused(model, lambda m: m.fit(X, target(name)), words)
    return "refused"


@pytest.mark.parametrize("case", SOME)
def test_a_parameter_refuses_what_its_row_does_not_allow(case):
    found = [check_parameter(*PARAMETERS[case], value) for value in VALUES.values()]
    assert found.count("refused") >= 20


# Allowed, each by itself.
CONTRADICTIONS = {
    "hidden sizes of zero": ({"hidden_layer_sizes": (4, 0)}, "hidden_layer_sizes.*> 0"),
    "hidden sizes that are floats": (
        {"hidden_layer_sizes": [4.0]},
        "hidden_layer_sizes must be integers",
    ),
    "hidden sizes that are words": (
        {"hidden_layer_sizes": ["4"]},
        "hidden_layer_sizes must be integers",
    ),
    "hidden sizes that are bools": (
        {"hidden_layer_sizes": [True]},
        "hidden_layer_sizes must be integers",
    ),
    "hidden sizes beyond memory": (
        {"hidden_layer_sizes": 2**60},
        "parameters are more than an array holds.*hidden_layer_sizes",
    ),
    "an activation too many": (
        {"activation": ["relu", "tanh"]},
        "activation has 2 entries, but hidden_layer_sizes has 1",
    ),
    "a rate of dropout too many": ({"dropout": [0.1, 0.1]}, "dropout has 2 entries"),
    "layers and sizes": ({"layers": [Dense(3)]}, "hidden_layer_sizes"),
    "monotonic and normalised": (
        {"monotonic_cst": [1, 0, 0], "normalization": "batch"},
        "normalization='batch' cannot be combined with monotonic_cst",
    ),
    "too few signs": ({"monotonic_cst": [1]}, "monotonic_cst must hold -1, 0 or 1"),
    "a sign of two": ({"monotonic_cst": [2, 0, 0]}, "monotonic_cst must hold"),
    "signs that are words": ({"monotonic_cst": ["up", "", ""]}, "monotonic_cst must"),
    "signs of names": ({"monotonic_cst": {"a": 1}}, "monotonic_cst names features"),
    "columns that there are not": (
        {"categorical_features": [7]},
        r"categorical_features.*\[0, 2\]",
    ),
    "a mask too short": (
        {"categorical_features": [True]},
        "categorical_features.*mask",
    ),
    "names without a frame": (
        {"categorical_features": ["a"]},
        "categorical_features should be passed as an array of integers",
    ),
    "columns that are halves": (
        {"categorical_features": [0.5]},
        "categorical_features",
    ),
    "columns of columns": ({"categorical_features": [[0]]}, "categorical_features"),
    "an embedding of nothing": (
        {"categorical_embedding": Embedding()},
        "categorical_embedding=.*has no columns to embed",
    ),
    "an optimiser and a keyword": (
        {"solver": SGD(), "momentum": 0.5},
        "momentum=0.5",
    ),
    "a schedule and a keyword": (
        {"learning_rate": Cosine(), "power_t": 0.25},
        "power_t=0.25",
    ),
    "a loss and a keyword": (
        {"loss": BinaryLogLoss(), "label_smoothing": 0.5},
        "label_smoothing=0.5",
    ),
    "an unknown scorer": (
        {"scoring": "best", "early_stopping": True},
        "'scoring'|best",
    ),
    "a scorer that gives words": (
        {"scoring": lambda *_: "good", "early_stopping": True},
        "scoring.*good|could not convert",
    ),
    "a callback that gives words": (
        {"callbacks": lambda _: "stop"},
        "callback .*'stop'",
    ),
    "a callback that is a list": ({"callbacks": [[]]}, "'callbacks' parameter"),
    "a callback's class": ({"callbacks": [TimeLimit]}, "'callbacks' parameter"),
    "a splitter's class": ({"validation_split": KFold}, "'validation_split' parameter"),
    "a splitter of nothing": (
        {
            "validation_split": types.SimpleNamespace(split=lambda *_: iter(())),
            "early_stopping": True,
        },
        "validation_split=.*gives no split",
    ),
    "a splitter of words": (
        {
            "validation_split": types.SimpleNamespace(split=lambda *_: [("a", "b")]),
            "early_stopping": True,
        },
        "validation_split",
    ),
    "a splitter of one thing": (
        {
            "validation_split": types.SimpleNamespace(split=lambda *_: [1]),
            "early_stopping": True,
        },
        "validation_split",
    ),
    "class weights that are negative": (
        {"class_weight": {0: -1.0, 1: 1.0, 2: 1.0}},
        "class_weight must not be negative, NaN or infinite",
    ),
    "class weights of NaN": ({"class_weight": {0: np.nan}}, "class_weight must not be"),
    "class weights of infinity": (
        {"class_weight": {0: np.inf}},
        "class_weight must not",
    ),
    "class weights of None": ({"class_weight": {0: None}}, "class_weight must not be"),
    "class weights that are words": (
        {"class_weight": {0: "heavy"}},
        "class_weight.*could not convert",
    ),
    "class weights beyond float64": (
        {"class_weight": {0: 1e308, 1: 1e308, 2: 1e308}},
        "class_weight.*mean of inf",
    ),
    "class weights of zero": (
        {"class_weight": {0: 0, 1: 0, 2: 0}},
        "at least one sample must have a positive weight",
    ),
    "weights of other classes": ({"class_weight": {"a": 1.0}}, "not in class_weight"),
    "class weights of an indicator": (
        {"class_weight": [{0: 1.0, 1: 2.0}] * 3},
        "class_weight as a list.*multilabel",
    ),
    "a penalty beyond float64": ({"alpha": 1e308}, "alpha=1e\\+308"),
}

# An object whose class is right, and what is in it not.
OBJECTS = {
    "beta_1": {"solver": Adam(beta_1=2.0)},
    "epsilon": {"solver": Adam(epsilon=0.0)},
    "weight_decay": {"solver": SGD(weight_decay=-1.0)},
    "momentum": {"solver": SGD(momentum="fast")},
    "rho": {"solver": RMSProp(rho=np.nan)},
    "total": {"learning_rate": Cosine(total=-1)},
    "end_factor": {"learning_rate": Cosine(end_factor=None)},
    "step_size": {"learning_rate": Step(step_size=0)},
    "factor": {"learning_rate": Plateau(factor=1.5)},
    "min_learning_rate": {"learning_rate": Adaptive(min_learning_rate="small")},
    "pct_start": {"learning_rate": OneCycle(pct_start=np.nan)},
    "schedule": {"learning_rate": Warmup("cosine")},
    "epochs": {"learning_rate": Warmup(epochs=0)},
    "decay": {"average": EMA(decay=1.5)},
    "start": {"average": SWA(start=-1)},
    "factor ": {"weight_init": Glorot(factor=-1.0)},
    "scale": {"weight_init": Normal(scale=np.inf)},
    "bound": {"weight_init": Uniform(bound="wide")},
    "gain": {"weight_init": Orthogonal(gain=None)},
    "gamma": {"loss": BinaryFocalLoss(gamma=-1.0)},
    "label_smoothing": {"loss": BinaryLogLoss(label_smoothing=1.0)},
}
OBJECTS_OF_NUMBERS = {
    "delta": {"loss": Huber(delta=0.0)},
    "quantile": {"loss": Quantile(quantile=1.5)},
    "power": {"loss": Tweedie(power=3.0)},
    "sigma_min": {"loss": GaussianNLL(sigma_min=np.nan)},
    "normalize_y": {"loss": "poisson", "normalize_y": True},
    "quantile ": {"loss": "squared_error", "quantile": 0.5},
    "quantile  ": {"loss": "quantile", "quantile": [0.9, 0.1]},
    "needs targets y >= 0": {"loss": "poisson"},
    "needs targets y > 0": {"loss": "gamma"},
}
# What cannot even be made.
LAYERS = {
    "no units": (lambda: Dense(0), "'units'"),
    "units that are a word": (lambda: Dense("many"), "'units'"),
    "units that are a float": (lambda: Dense(4.0), "'units'"),
    "units that are a bool": (lambda: Dense(True), "'units'"),
    "an initializer's class": (lambda: Dense(4, Glorot), "'kernel_init'"),
    "an initializer's name": (lambda: Dense(4, "glorot"), "'kernel_init'"),
    "a parametrisation": (lambda: Dense(4, parametrization="mup"), "'parametrization'"),
    "an activation": (lambda: Activation("step"), "Activation.*Got 'step'"),
    "an activation that is a list": (lambda: Activation([]), r"Got \[\]"),
    "a rate of one": (lambda: Dropout(1.0), "'rate'"),
    "a rate that is a word": (lambda: Dropout("half"), "'rate'"),
    "a rate that is a list": (lambda: Dropout([]), "'rate'"),
    "blocks of nothing": (lambda: Residual([]), "Residual"),
    "blocks of classes": (lambda: Residual([Dense]), "Residual"),
    "a dimension of zero": (lambda: Embedding(dim=0), "'dim'"),
    "momentum of a norm": (lambda: BatchNorm(momentum=2.0), "'momentum'"),
    "epsilon of a norm": (lambda: LayerNorm(epsilon=-1.0), "'epsilon'"),
    "no time": (lambda: TimeLimit(0.0), "seconds"),
}


def check_settings(model, y, settings, words):
    model = clone(model).set_params(**settings)
    assert_refused(model, lambda m: m.fit(X, y), words)
    assert not [name for name in vars(model) if name.endswith("_")]
    return "refused"


def check_made(make, words):
    with quiet():
        try:
            make()
        except (TypeError, ValueError) as error:
            assert re.search(words, str(error)), error
            return "refused"
    raise AssertionError("was made")


_CLASSIFIER = MODELS["MLPClassifier"]()
_REGRESSOR = MODELS["MLPRegressor"]()


def cases():
    """Yield a name for each case, and what runs it."""
    for case, (name, parameter) in PARAMETERS.items():
        row = rows_of(MODELS[name]())[parameter]
        for kind, value in VALUES.items():
            if not row.allowed.check(value):
                label = f"parameter: {case} is {kind}"
                yield label, partial(check_parameter, name, parameter, value)
    for case, (settings, words) in CONTRADICTIONS.items():
        call = partial(check_settings, _CLASSIFIER, CODES % 2, settings, words)
        yield f"parameter: {case}", call
    for words, settings in OBJECTS.items():
        call = partial(check_settings, _CLASSIFIER, CODES % 2, settings, words.strip())
        yield f"parameter: {settings}", call
    for words, settings in OBJECTS_OF_NUMBERS.items():
        call = partial(check_settings, _REGRESSOR, NUMBERS, settings, words.strip())
        yield f"parameter: {settings}", call
    for case, row in LAYERS.items():
        yield f"layer: {case}", partial(check_made, *row)


@pytest.mark.parametrize("case", CONTRADICTIONS)
def test_what_contradicts_is_refused_by_name(case):
    check_settings(_CLASSIFIER, CODES % 2, *CONTRADICTIONS[case])


@pytest.mark.parametrize("words", OBJECTS)
def test_a_field_of_an_object_is_named(words):
    check_settings(_CLASSIFIER, CODES % 2, OBJECTS[words], words.strip())


@pytest.mark.parametrize("words", OBJECTS_OF_NUMBERS)
def test_a_field_of_an_object_for_numbers_is_named(words):
    settings = OBJECTS_OF_NUMBERS[words]
    check_settings(_REGRESSOR, NUMBERS, settings, words.strip())


@pytest.mark.parametrize("case", LAYERS)
def test_a_layer_refuses_its_field_when_it_is_made(case):
    check_made(*LAYERS[case])


@pytest.mark.parametrize("value", [3, "mlp", MLPClassifier, LogisticRegression()])
def test_what_is_no_network_has_no_ensemble_and_no_features(value):
    words = "'estimator' parameter"
    for model in (MLPEnsembleClassifier(value), MLPTransformer(value)):
        assert_refused(model, lambda m: m.fit(X, CODES), words)
    wrong = MLPEnsembleClassifier(MLPRegressor())
    assert_refused(wrong, lambda m: m.fit(X, CODES), "must be an MLPClassifier")


@pytest.mark.parametrize("layer", [1, -2, 0.0, "last", None, True, [0], 2**70])
def test_a_layer_that_there_is_not_is_named(layer):
    model = MODELS["MLPTransformer"]().set_params(layer=layer)
    assert_refused(model, lambda m: m.fit(X, CODES), "'layer' parameter.*range")


def test_an_index_of_numpy_is_an_index():
    model = MODELS["MLPTransformer"]().set_params(layer=np.int64(-1))
    with quiet():
        assert model.fit(X, CODES).transform(X).shape == (N, 4)


def test_values_are_not_used_up_by_their_check():
    sizes = range(4, 6)
    with quiet():
        model = MLPClassifier(sizes, max_iter=1, random_state=0).fit(X, CODES)
    assert [w.shape for w in model.coefs_] == [(3, 4), (4, 5), (5, 3)]


@pytest.mark.parametrize("name", MODELS)
def test_unknown_keywords_are_refused(name):
    kind = type(MODELS[name]())
    with pytest.raises(TypeError, match="unexpected keyword argument 'n_layers'"):
        kind(n_layers=3)
    with pytest.raises(ValueError, match="Invalid parameter 'n_layers'"):
        MODELS[name]().set_params(n_layers=3)


def test_an_error_about_a_parameter_is_a_value_error_and_a_type_error():
    with pytest.raises(
        InvalidParameterError, match=r"of at most 64 bits\. Got 1844674"
    ):
        MLPClassifier(max_iter=2**64).fit(X, CODES)
    assert issubclass(InvalidParameterError, ValueError)
    assert issubclass(InvalidParameterError, TypeError)


def test_a_schedule_of_ones_own_may_be_anything_that_is_one():
    class Halved(Schedule):
        def __call__(self, initial, progress):
            return initial / 2

    with quiet():
        halved = MLPClassifier(
            (4,), max_iter=2, random_state=0, learning_rate=Halved()
        ).fit(X, CODES)
        plain = MLPClassifier(
            (4,), max_iter=2, random_state=0, learning_rate_init=0.0005
        ).fit(X, CODES)
    np.testing.assert_array_equal(halved.coefs_[0], plain.coefs_[0])
    assert isinstance(halved._loss, type(plain._loss))
    assert not isinstance(halved._loss, SquaredError)
