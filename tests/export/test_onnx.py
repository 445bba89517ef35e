"""ONNX models predict what estimators predict, labels and units of y included."""

import sys
from decimal import Decimal

import numpy as np
import pytest
from scipy import sparse
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

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
from sknn.export import to_onnx
from sknn.layers import Embedding

pytest.importorskip("onnx")

TOLERANCES = {np.float32: 1e-6, np.float64: 1e-12}
DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def binary(score):
    return np.where(score > 0, "yes", "no")


def three(score):
    return np.array([7, -2, 30])[np.digitize(score, [-0.7, 0.7])]


def labels_at_once(score):
    return np.column_stack([score > 0, score > 1, score < 0.5]).astype(int)


def truth(score):
    return score > 0


def one(score):
    return np.full(len(score), "only")


def number(score):
    return 100 + 20 * score


def two(score):
    return np.column_stack([score, 1000 - 3 * score])


def counts(score):
    return np.floor(np.abs(3 * score))


def nothing(score):
    return None


TABULAR = {
    "n_estimators": 2,
    "hidden_layer_sizes": (5,),
    "max_iter": 2,
    "min_steps": 0,
    "random_state": 0,
}
CASES = [
    (MLPClassifier((5,)), binary),
    (MLPClassifier((5,), layers=None, dropout=0.2, activation="gelu"), three),
    (MLPClassifier((5, 4), residual=True, normalization="batch"), labels_at_once),
    (MLPClassifier((5,), loss="focal"), truth),
    (MLPClassifier((5,)), one),
    (MLPClassifier((5,), monotonic_cst=(1, 0, -1, 0)), binary),
    (MLPRegressor(hidden_layer_sizes=(5,)), number),
    (MLPRegressor(hidden_layer_sizes=(5,), normalize_y=True), two),
    (MLPRegressor("quantile", (5,), quantile=(0.1, 0.9), normalize_y=True), two),
    (MLPRegressor("gaussian_nll", (5,), normalize_y=True), number),
    (MLPRegressor("poisson", (5,), numeric_embedding="plr"), counts),
    (MLPEstimator((5,)), binary),
    (MLPEstimator((5,), task="regression", input_scale=2.0), number),
    (MLPAutoencoder(2, (5,)), nothing),
    (MLPTransformer(MLPClassifier((5, 3))), three),
    (PerceptronClassifier(), binary),
    (PerceptronClassifier(), three),
    (MLPEnsembleClassifier(MLPClassifier((5,)), 3), binary),
    (MLPEnsembleClassifier(MLPClassifier((5,)), 3), labels_at_once),
    (MLPEnsembleClassifier(MLPClassifier((5,), scaling="standard"), 2), three),
    (MLPEnsembleRegressor(MLPRegressor("huber", (5,), normalize_y=True), 3), two),
    (TabularMLPClassifier(**TABULAR), binary),
    (TabularMLPClassifier(**TABULAR), three),
    (TabularMLPClassifier(**TABULAR), labels_at_once),
    (TabularMLPRegressor(**TABULAR), number),
    (TabularMLPRegressor(**TABULAR, normalize_y=False), two),
    (TabularMLPRegressor(**TABULAR, clip_predictions=False), number),
]


def expected_of(model, X):
    """What an estimator answers, by the names of outputs."""
    if hasattr(model, "transform"):
        return {"variable": model.transform(X)}
    if hasattr(model, "predict_proba"):
        return {"label": model.predict(X), "probabilities": model.predict_proba(X)}
    if isinstance(model, PerceptronClassifier):
        return {"label": model.predict(X), "scores": model.decision_function(X)}
    return {"variable": model.predict(X).reshape(len(X), -1)}


def assert_same(found, expected, tolerance):
    assert list(found) == list(expected)
    for name, values in expected.items():
        assert found[name].shape == values.shape
        if name == "label":
            assert np.array_equal(found[name], values)
        else:
            limit = tolerance * max(1, np.abs(values).max())
            assert np.abs(found[name] - values).max() <= limit


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer|Maximum number")
@pytest.mark.parametrize(
    ("model", "target"), CASES, ids=lambda v: getattr(v, "__name__", str(v))
)
@DTYPES
def test_models_predict_what_estimators_predict(
    model, target, dtype, numbers, fit, run
):
    X, score = numbers
    X = X.astype(dtype)
    if isinstance(model, TabularMLPClassifier | TabularMLPRegressor):
        model.set_params(dtype=np.dtype(dtype).name)
    y = target(score)
    fitted = fit(model, X, y if y is None or y.dtype.kind != "f" else y.astype(dtype))
    found = run(to_onnx(fitted), 2 * X)
    expected = expected_of(fitted, 2 * X)
    assert_same(found, expected, TOLERANCES[dtype])
    for name, values in expected.items():
        if name != "label":
            assert found[name].dtype == values.dtype


@pytest.mark.parametrize("missing", ["mean", "indicator"])
@pytest.mark.parametrize("scaling", [None, "standard", "robust"])
def test_columns_are_filled_scaled_and_coded_in_the_graph(
    missing, scaling, numbers, fit, run
):
    X, score = numbers
    X = np.column_stack([X, np.round(score), np.full(len(X), 7.0)])
    X[::5, 1] = X[::7, 4] = np.nan
    model = MLPClassifier(
        (5,),
        missing=missing,
        scaling=scaling,
        categorical_features=[4, 5],
        categorical_embedding=Embedding(one_hot_max_size=1, dim=2),
    )
    fit(model, X, binary(score))
    X[1, 4], X[2, 5], X[3, 0] = 99, np.nan, 1e300
    assert_same(run(to_onnx(model), X), expected_of(model, X), 1e-12)


def test_only_categories_and_columns_without_a_number_go_in(numbers, fit, run):
    score = numbers[1]
    X = np.column_stack([np.full(len(score), np.nan), np.round(score)])
    model = fit(MLPClassifier((5,), categorical_features=[0, 1]), X, binary(score))
    assert_same(run(to_onnx(model), X), expected_of(model, X), 1e-12)


@pytest.fixture(scope="module")
def frame(numbers):
    pd = pytest.importorskip("pandas")
    X, score = numbers
    colour = np.array(["red", "green", "blue", "rare"])[np.arange(len(X)) % 4]
    frame = pd.DataFrame({"size": X[:, 0], "colour": colour, "member": score > 0})
    return frame.assign(kind=pd.Categorical(np.where(X[:, 1] > 0, "a", "b")))


def one_per_column(frame):
    """What a runtime is given: a column of numbers or strings under each name."""
    return {
        name: column.to_numpy(float if column.dtype.kind in "fb" else object)[:, None]
        for name, column in frame.items()
    }


@pytest.mark.parametrize(
    "model",
    [
        MLPClassifier((5,), categorical_features="from_dtype", scaling="robust"),
        TabularMLPClassifier(**TABULAR, dtype="float64"),
        MLPEnsembleClassifier(
            MLPClassifier((5,), categorical_features="from_dtype"), 2,
            resampling="bootstrap",
        ),
    ],
    ids=lambda model: type(model).__name__,
)  # fmt: skip
@pytest.mark.filterwarnings("ignore:Stochastic Optimizer|.*left out by no member")
def test_strings_go_in_by_one_input_for_each_column(model, frame, numbers, fit, run):
    fit(model, frame, binary(numbers[1]))
    exported = to_onnx(model)
    assert [i.name for i in exported.graph.input] == list(frame)
    rows = frame.astype({"kind": object})
    rows.loc[0, "colour"], rows.loc[1, "kind"] = "never seen", ""
    expected = expected_of(model, rows.replace({"": None}))
    assert_same(run(exported, one_per_column(rows)), expected, 1e-12)


def test_strings_without_names_are_numbered(run, fit):
    X = np.array([["a", 1.0], ["b", 2.0], ["a", 3.0], ["c", 0.0]] * 3, dtype=object)
    model = fit(MLPRegressor(categorical_features=[0]), X, np.arange(12.0))
    given = {"x0": X[:, :1], "x1": X[:, 1:].astype(float)}
    found = run(to_onnx(model), given)["variable"]
    np.testing.assert_allclose(found[:, 0], model.predict(X), rtol=1e-12)


def test_what_was_fitted_on_sparse_rows_takes_dense_ones(numbers, fit, run):
    X, score = numbers
    for model in (MLPClassifier((5,)), PerceptronClassifier()):
        fit(model, sparse.csr_matrix(X), binary(score))
        if isinstance(model, PerceptronClassifier):
            model.sparsify()
        assert_same(run(to_onnx(model), X), expected_of(model, X), 1e-12)


def test_a_frozen_network_gives_its_features(numbers, fit, run):
    X, score = numbers
    network = fit(MLPClassifier((5, 3), activation="tanh"), X, binary(score))
    model = MLPTransformer(FrozenEstimator(network), layer=0).fit(X, binary(score))
    assert_same(run(to_onnx(model), X), expected_of(model, X), 1e-12)


def test_the_dtype_of_the_input_is_chosen(numbers, fit, run):
    X, score = numbers
    model = fit(MLPClassifier((5,)), X, binary(score))
    X = X.astype(np.float32)
    found = run(to_onnx(model, dtype="float32"), X)
    assert_same(found, expected_of(model, X), 1e-12)


def test_models_say_what_they_are_and_take_any_number_of_rows(numbers, fit):
    X, score = numbers
    model = to_onnx(fit(MLPClassifier((5,)), X, three(score)))
    assert [(o.domain, o.version) for o in model.opset_import] == [("", 13)]
    assert (model.ir_version, model.producer_name) == (7, "sknn")
    (given,) = model.graph.input
    first, second = given.type.tensor_type.shape.dim
    assert (given.name, first.dim_param, second.dim_value) == ("X", "n", 4)


def test_equal_estimators_give_equal_bytes(numbers, fit):
    X, score = numbers
    models = [
        to_onnx(fit(TabularMLPRegressor(**TABULAR), X, number(score))) for _ in range(2)
    ]
    assert models[0].SerializeToString() == models[1].SerializeToString()


def test_what_cannot_be_written_is_refused_clearly(numbers, fit):
    X, score = numbers
    with pytest.raises(NotFittedError):
        to_onnx(MLPClassifier())
    with pytest.raises(TypeError, match="register_skl2onnx"):
        to_onnx(make_pipeline(StandardScaler(), MLPClassifier()))
    with pytest.raises(TypeError, match="got LogisticRegression"):
        to_onnx(LogisticRegression())
    model = fit(MLPClassifier((5,)), X, binary(score))
    with pytest.raises(ValueError, match="'float32' or 'float64', got 'int8'"):
        to_onnx(model, dtype="int8")


def test_labels_and_categories_that_onnx_does_not_have_are_refused(numbers, fit):
    X = np.array([[Decimal(i % 3), i] for i in range(12)], dtype=object)
    model = fit(MLPRegressor(categorical_features=[0]), X, np.arange(12.0))
    with pytest.raises(ValueError, match="Put an encoder for this column"):
        to_onnx(model)
    days = np.array(["2024-01-01", "2024-01-02"], "M8[D]")
    X, score = numbers
    model = fit(MLPClassifier((5,)), X, days[(score > 0).astype(int)])
    with pytest.raises(ValueError, match="Encode y before the fit"):
        to_onnx(model)


def test_without_onnx_one_sentence_says_what_to_install(numbers, fit, monkeypatch):
    X, score = numbers
    model = fit(MLPClassifier((5,)), X, binary(score))
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ImportError, match=r'pip install "sknn\[onnx\]"'):
        to_onnx(model)
