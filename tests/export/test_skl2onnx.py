"""skl2onnx converts pipelines with our estimators in them."""

import sys

import numpy as np
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import VotingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from sknn import (
    MLPAutoencoder,
    MLPClassifier,
    MLPEnsembleRegressor,
    MLPEstimator,
    MLPRegressor,
    MLPTransformer,
    PerceptronClassifier,
    TabularMLPClassifier,
)
from sknn.export import register_skl2onnx

skl2onnx = pytest.importorskip("skl2onnx")
pytest.importorskip("onnx")

TOLERANCES = {np.float32: 2e-6, np.float64: 1e-12}
DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])
NO_ZIPMAP = {"zipmap": False}


@pytest.fixture(scope="module", autouse=True)
def registered():
    register_skl2onnx()
    register_skl2onnx()  # once more changes nothing


def binary(score):
    return np.where(score > 0, "yes", "no")


def three(score):
    return np.digitize(score, [-0.7, 0.7])


def truth(score):
    return score > 0


def both(score):
    return np.column_stack([score > 0, score > 1]).astype(int)


def whole(score):
    return np.round(np.clip(score, -1, 1))


def number(score):
    return 100 + 20 * score


SMALL = {"n_estimators": 2, "hidden_layer_sizes": (5,), "min_steps": 0}
CLASSIFIERS = [
    (MLPClassifier((5,)), binary),
    (MLPClassifier((5,), activation="gelu"), three),
    (MLPClassifier((5,)), truth),
    (MLPClassifier((5,)), whole),
    (MLPClassifier((5,)), both),
    (MLPEstimator((5,)), binary),
    (TabularMLPClassifier(**SMALL, dtype=None), three),
]


def scaled(last):
    return make_pipeline(StandardScaler(), last)


@pytest.mark.parametrize(
    ("last", "target"), CLASSIFIERS, ids=lambda v: getattr(v, "__name__", str(v))
)
@DTYPES
def test_pipelines_that_classify(last, target, dtype, numbers, fit, run):
    X, score = numbers
    X = X.astype(dtype)
    model = fit(scaled(last), X, target(score))
    found = run(skl2onnx.to_onnx(model, X[:1], options={id(last): NO_ZIPMAP}), X)
    label, probabilities = found.values()
    assert np.array_equal(label, model.predict(X))
    expected = model.predict_proba(X)
    assert probabilities.dtype == dtype
    assert np.abs(probabilities - expected).max() < TOLERANCES[dtype]


@pytest.mark.parametrize(
    "last",
    [
        MLPRegressor(hidden_layer_sizes=(5,), normalize_y=True),
        MLPEstimator((5,), task="regression"),
        MLPEnsembleRegressor(MLPRegressor(hidden_layer_sizes=(5,)), 2),
        MLPAutoencoder(2, (5,)),
        MLPTransformer(MLPRegressor(hidden_layer_sizes=(5,))),
    ],
    ids=lambda model: type(model).__name__,
)
@DTYPES
def test_pipelines_that_end_in_numbers(last, dtype, numbers, fit, run):
    X, score = numbers
    X = X.astype(dtype)
    model = fit(scaled(last), X, number(score).astype(dtype))
    (found,) = run(skl2onnx.to_onnx(model, X[:1]), X).values()
    answers = model.transform if hasattr(last, "transform") else model.predict
    expected = answers(X).reshape(len(X), -1)
    limit = TOLERANCES[dtype] * max(1, np.abs(expected).max())
    assert found.dtype == dtype
    assert np.abs(found - expected).max() <= limit


def test_scores_stand_where_a_perceptron_has_no_probabilities(numbers, fit, run):
    X, score = numbers
    model = fit(scaled(PerceptronClassifier()), X, three(score))
    options = {id(model[-1]): NO_ZIPMAP}
    label, scores = run(skl2onnx.to_onnx(model, X[:1], options=options), X).values()
    assert np.array_equal(label, model.predict(X))
    np.testing.assert_allclose(scores, model.decision_function(X), rtol=1e-12)


def test_a_network_in_double_stays_so_in_a_pipeline_of_floats(numbers, fit, run):
    X, score = numbers
    model = fit(MLPRegressor(hidden_layer_sizes=(5,)), X, number(score))
    X = X.astype(np.float32)
    found = run(skl2onnx.to_onnx(model, X[:1]), X)["variable"][:, 0]
    assert np.array_equal(found, model.predict(X).astype(np.float32))


def test_dictionaries_of_probabilities_are_skl2onnxs_default(numbers, fit, run):
    X, score = numbers
    model = fit(scaled(MLPClassifier((5,))), X.astype(np.float32), binary(score))
    X = X.astype(np.float32)
    found = run(skl2onnx.to_onnx(model, X[:1]), X)
    expected = model.predict_proba(X)[:, 1]
    likely = [row["yes"] for row in found["output_probability"]]
    np.testing.assert_allclose(likely, expected, rtol=1e-5)


def test_networks_in_other_estimators(numbers, fit, run):
    X, score = numbers
    X = X.astype(np.float32)
    members = [("net", MLPClassifier((5,))), ("line", LogisticRegression())]
    model = fit(
        VotingClassifier(members, voting="soft", flatten_transform=False),
        X,
        three(score),
    )
    options = {id(model): NO_ZIPMAP}
    label, probabilities = run(
        skl2onnx.to_onnx(model, X[:1], options=options), X
    ).values()
    assert np.array_equal(label, model.predict(X))
    assert np.abs(probabilities - model.predict_proba(X)).max() < 2e-6


@pytest.fixture(scope="module")
def frame(numbers):
    pd = pytest.importorskip("pandas")
    X = numbers[0]
    colour = np.array(["red", "green", "blue", "rare"])[np.arange(len(X)) % 4]
    return pd.DataFrame({"size": X[:, 0], "age": X[:, 1], "colour": colour})


def test_strings_pass_through_an_encoder(frame, numbers, fit, run):
    encode = make_column_transformer(
        (StandardScaler(), ["size", "age"]), (OneHotEncoder(), ["colour"])
    )
    model = fit(
        make_pipeline(encode, MLPRegressor(hidden_layer_sizes=(5,))), frame, numbers[1]
    )
    kinds = skl2onnx.common.data_types
    types = [(n, kinds.DoubleTensorType([None, 1])) for n in ("size", "age")]
    types += [("colour", kinds.StringTensorType([None, 1]))]
    given = {name: column.to_numpy()[:, None] for name, column in frame.items()}
    given["colour"] = given["colour"].astype(object)
    exported = skl2onnx.to_onnx(model, initial_types=types)
    found = run(exported, given)["variable"][:, 0]
    np.testing.assert_allclose(found, model.predict(frame), rtol=1e-6)


def test_layers_that_ask_for_the_width_find_it(numbers, fit, run):
    X, score = numbers
    network = MLPRegressor(hidden_layer_sizes=(5,), numeric_embedding="pbld")
    model = fit(scaled(network), X, score)
    types = [("X", skl2onnx.common.data_types.DoubleTensorType([None, None]))]
    found = run(skl2onnx.to_onnx(model, initial_types=types), X)["variable"][:, 0]
    np.testing.assert_allclose(found, model.predict(X), rtol=1e-10)


def test_columns_that_come_one_by_one_are_joined(numbers, fit, run):
    X, score = numbers
    X = X.astype(np.float32)
    model = fit(MLPRegressor(hidden_layer_sizes=(5,)), X, score)
    kinds = skl2onnx.common.data_types
    types = [(f"x{i}", kinds.FloatTensorType([None, 1])) for i in range(4)]
    exported = skl2onnx.to_onnx(model, initial_types=types)
    found = run(exported, {f"x{i}": X[:, i : i + 1] for i in range(4)})
    np.testing.assert_allclose(found["variable"][:, 0], model.predict(X), rtol=1e-5)


def test_what_cannot_be_converted_is_refused_clearly(frame, numbers, fit):
    X, score = numbers
    with pytest.raises(NotFittedError):
        skl2onnx.to_onnx(MLPClassifier(), X[:1], options=NO_ZIPMAP)
    model = fit(MLPRegressor(categorical_features="from_dtype"), frame, score)
    types = [("X", skl2onnx.common.data_types.FloatTensorType([None, 3]))]
    with pytest.raises(ValueError, match="Put an encoder such as OneHotEncoder"):
        skl2onnx.to_onnx(model, initial_types=types)


def test_old_operators_are_refused(numbers, fit):
    X, score = numbers
    model = fit(MLPRegressor(hidden_layer_sizes=(5,)), X, score)
    with pytest.raises(ValueError, match="target_opset of at least 13"):
        skl2onnx.to_onnx(model, X[:1], target_opset=12)


def test_without_skl2onnx_one_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "skl2onnx", None)
    with pytest.raises(ImportError, match='pip install "skl2onnx"'):
        register_skl2onnx()
