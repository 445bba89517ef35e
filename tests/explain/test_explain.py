"""The one function: every method, every sort of estimator, every bad input."""

import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor, make_column_transformer
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression, Perceptron, RidgeClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

import sknn.explain
from sknn import MLPClassifier
from sknn.explain import METHODS, explain

shap = pytest.importorskip("shap")
pytest.importorskip("lime")

ROOT = pathlib.Path(sknn.explain.__file__).parents[2]
LOADED = """
import sys, sklearn.base, sklearn.linear_model, sklearn.utils.validation
before = set(sys.modules)
import sknn.explain
print(*{name.partition(".")[0] for name in set(sys.modules) - before})
"""


def test_importing_the_room_imports_no_optional_package():
    result = subprocess.run(
        [sys.executable, "-c", LOADED],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(result.stdout.split())
    assert not loaded & {"shap", "lime", "matplotlib", "pandas", "polars"}


@pytest.mark.parametrize(
    ("package", "method"), [("shap", "auto"), ("lime.lime_tabular", "lime")]
)
def test_a_missing_package_is_named_with_its_remedy(
    regression, monkeypatch, package, method
):
    model, X = regression
    monkeypatch.setitem(sys.modules, package, None)
    name = package.partition(".")[0]
    with pytest.raises(ImportError, match=rf'needs {name}: pip install "sknn\[expl'):
        options = {"native": False} if package.startswith("lime") else {}
        explain(model, X[:1], background=X[:5], method=method, **options)


@pytest.mark.parametrize("method", ["auto", *METHODS])
def test_every_method_adds_up_on_a_linear_model(numbers, method):
    X, score = numbers
    model = LinearRegression().fit(X, score)
    explanation = explain(
        model, X[:4], background=X[10:], method=method, random_state=0
    )
    assert isinstance(explanation, shap.Explanation)
    total = explanation.values.sum(axis=1) + explanation.base_values
    np.testing.assert_allclose(total, model.predict(X[:4]), atol=5e-3)
    np.testing.assert_array_equal(explanation.data, X[:4])
    assert explanation.feature_names == [f"x{j}" for j in range(5)]
    assert explanation.compute_time > 0


@pytest.mark.filterwarnings("ignore:method='deep' shares softmax")
@pytest.mark.parametrize("method", [name for name in METHODS if name != "linear"])
def test_every_method_gives_the_same_shapes(method, binary, multiclass, two_targets):
    def shapes(fitted, **settings):
        model, X = fitted
        explanation = explain(
            model, X[:3], background=X[10:20], method=method, **settings
        )
        return (
            explanation.shape,
            explanation.base_values.shape,
            explanation.output_names,
        )

    assert shapes(binary) == ((3, 5, 2), (3, 2), ["no", "yes"])
    assert shapes(binary, target="yes") == ((3, 5), (3,), "yes")
    assert shapes(multiclass) == ((3, 5, 3), (3, 3), ["low", "mid", "top"])
    assert shapes(multiclass, target=["top", 0]) == ((3, 5, 2), (3, 2), ["top", "low"])
    assert shapes(multiclass, target="predicted") == ((3, 5), (3,), None)
    assert shapes(two_targets, target=1) == ((3, 5), (3,), "Output 1")


ESTIMATORS = {
    "search": GridSearchCV(RidgeClassifier(), {"alpha": [1.0]}, cv=2),
    "calibrated": CalibratedClassifierCV(Perceptron(), cv=2),
    "mixing columns": make_pipeline(
        StandardScaler(), PCA(2), LinearDiscriminantAnalysis()
    ),
    "own function": make_pipeline(
        FunctionTransformer(np.tanh), LinearDiscriminantAnalysis()
    ),
    "forest": RandomForestClassifier(5, random_state=0),
    "online": Perceptron(),
}


@pytest.mark.filterwarnings("ignore:The pipeline is explained as a black box")
@pytest.mark.parametrize("name", ESTIMATORS)
def test_any_classifier_is_explained(numbers, name):
    X, score = numbers
    model = ESTIMATORS[name].fit(X, score > 0)
    explanation = explain(model, X[:2], background=X[10:20], random_state=0)
    total = explanation.values.sum(axis=1) + explanation.base_values
    f = getattr(model, "decision_function", None) or model.predict_proba
    np.testing.assert_allclose(total, f(X[:2]), atol=1e-10)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_our_networks_are_explained_by_their_margin(numbers, n_classes):
    X, score = numbers
    y = np.digitize(score, [-0.5, 0.5][: n_classes - 1])
    network = MLPClassifier((8,), solver="lbfgs", alpha=10.0, random_state=0)
    model = make_pipeline(StandardScaler(), network).fit(X, y)
    explanation = explain(model, X[:3], background=X[10:20], random_state=0)
    margin = model.decision_function(X[:3])
    assert explanation.base_values.shape == margin.shape
    total = explanation.values.sum(axis=1) + explanation.base_values
    np.testing.assert_allclose(total, margin, atol=1e-10)


def test_a_model_of_a_transformed_target_is_explained_in_its_own_units(numbers):
    X, score = numbers
    model = TransformedTargetRegressor(
        LinearRegression(), func=np.arcsinh, inverse_func=np.sinh
    ).fit(X, score)
    explanation = explain(model, X[:2], background=X[10:20], random_state=0)
    total = explanation.values.sum(axis=1) + explanation.base_values
    np.testing.assert_allclose(total, model.predict(X[:2]))


def test_a_list_of_rows_is_a_table(regression):
    model, X = regression
    of_lists = explain(
        model, X[:2].tolist(), background=X[5:9].tolist(), random_state=0
    )
    of_arrays = explain(model, X[:2], background=X[5:9], random_state=0)
    np.testing.assert_array_equal(of_lists.values, of_arrays.values)


def test_a_numeric_frame_names_the_columns_of_a_model_fitted_on_arrays(regression):
    pd = pytest.importorskip("pandas")
    model, X = regression
    frame = pd.DataFrame(X, columns=list("abcde"))
    explanation = explain(model, frame[:2], background=frame[5:9], random_state=0)
    assert explanation.feature_names == list("abcde")


def test_an_array_is_explained_by_the_names_of_a_model_fitted_on_a_frame(mixed):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"n": np.arange(20.0), "s": list("ab") * 10})
    encoder = make_column_transformer((OneHotEncoder(), ["s"]), remainder="passthrough")
    model = make_pipeline(encoder, LinearRegression()).fit(frame, frame["n"])
    cells = frame.to_numpy(dtype=object)
    from_array = explain(model, cells[:2], background=cells[5:9], random_state=0)
    from_frame = explain(model, frame[:2], background=frame[5:9], random_state=0)
    assert from_array.feature_names == ["n", "s"]
    np.testing.assert_array_equal(from_array.values, from_frame.values)


def test_without_a_background_rows_of_x_are_taken_with_a_warning(regression):
    model, X = regression
    with pytest.warns(UserWarning, match="pass background=") as record:
        explanation = explain(model, X, random_state=0, method="lime", num_samples=50)
    assert record[0].filename == __file__
    assert len(explanation) == len(X)


def test_a_background_that_is_drawn_without_a_seed_is_the_same_every_time(numbers):
    X, score = numbers
    X, score = np.tile(X, (2, 1)) + np.arange(160.0)[:, None], np.tile(score, 2)
    model = LinearRegression().fit(X, score)
    with pytest.warns(UserWarning, match="100 of the 160 rows"):
        first, second = (explain(model, X).base_values[0] for _ in range(2))
    assert first == second


@pytest.mark.parametrize(
    ("error", "message", "settings"),
    [
        (
            ValueError,
            "method must be 'auto' or one of .*got 'deeper'",
            {"method": "deeper"},
        ),
        (
            ValueError,
            "output must be 'auto' or one of.*got 'logit'",
            {"output": "logit"},
        ),
        (ValueError, "'margin' cannot be had from MLPClass", {"output": "margin"}),
        (ValueError, "target must be one of .*got 'maybe'", {"target": "maybe"}),
        (ValueError, "at least 1, got 0", {"rounds": 0}),
        (ValueError, "at least 1, got 1.5", {"rounds": 1.5}),
        (ValueError, "at least 1, got True", {"rounds": True}),
        (ValueError, "random_state must be .*got -1", {"random_state": -1}),
        (ValueError, "random_state must be .*got 'a'", {"random_state": "a"}),
        (ValueError, "groups must be 'columns'", {"groups": "rows"}),
        (ValueError, "groups names 'y0', which is none", {"groups": {"a": ["y0"]}}),
        (ValueError, "tol must be None or a number above 0", {"tol": -0.1}),
        (ValueError, "tol=0.1 is a standard error", {"tol": 0.1, "method": "deep"}),
        (ValueError, "dtype must be .*got 'int8'", {"dtype": "int8"}),
        (ValueError, "dtype must be .*got 'foo'", {"dtype": "foo"}),
        (
            ValueError,
            "n_nodes must be an integer of at least 1, got 0",
            {"method": "expected_gradients", "n_nodes": 0},
        ),
        (TypeError, r"takes no options, got \['draws'\]", {"draws": 1}),
        (
            TypeError,
            r"'lime' takes the options \['native'.*got \['draws'\]",
            {"method": "lime", "draws": 1},
        ),
        (ValueError, "background must have at least one row", {"background": []}),
        (ValueError, "background has 3 columns", {"background": np.zeros((4, 3))}),
    ],
)
def test_a_bad_parameter_is_named_with_its_value(binary, error, message, settings):
    model, X = binary
    with pytest.raises(error, match=message):
        explain(model, X[:2], **{"background": X[5:9]} | settings)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (np.zeros((0, 5)), "X must have at least one row"),
        (np.zeros(5), "X must have rows and columns"),
        (np.zeros((2, 4)), "X has 4 columns, but MLPClassifier was fitted on 5"),
        (np.zeros((2, 5), dtype=complex), "column 'x0' holds complex numbers"),
        (np.full((2, 5), np.inf), "infinity"),
    ],
)
def test_bad_rows_are_refused(binary, rows, message):
    model, X = binary
    with pytest.raises(ValueError, match=message):
        explain(model, rows, background=X[5:9])


def test_missing_values_that_the_model_does_not_take_are_named(binary):
    model, X = binary
    rows = X[:2].copy()
    rows[1, 3] = np.nan
    with pytest.raises(
        ValueError, match=r"missing values in the columns \['x3'\].*imp"
    ):
        explain(model, rows, background=X[5:9])


def test_a_category_that_the_pipeline_does_not_know_is_refused_as_it_does(mixed):
    model, frame = mixed
    with pytest.raises(ValueError, match="mauve"):
        explain(
            model,
            frame.dropna()[:2].assign(colour="mauve"),
            background=frame.dropna()[5:9],
        )


def test_missing_and_extra_columns_are_named(mixed):
    model, frame = mixed
    with pytest.raises(ValueError, match=r"X must have .* missing: \['size'\]"):
        explain(model, frame.drop(columns="size"), background=frame)
    with pytest.raises(ValueError, match=r"background must .* among them: \['more'\]"):
        explain(model, frame, background=frame.assign(more=1))


def test_an_unfitted_model_is_refused(numbers):
    X, _ = numbers
    with pytest.raises(NotFittedError):
        explain(LinearDiscriminantAnalysis(), X[:2], background=X[5:9])


def test_what_was_given_is_left_as_it_was(mixed):
    model, frame = mixed
    before = frame.copy(deep=True)
    explain(model, frame[:1], background=frame[5:9], random_state=0)
    assert frame.equals(before)
