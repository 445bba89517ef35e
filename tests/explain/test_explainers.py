"""Explainers are called as shap's are, and say what `explain` says."""

import copy
import io
import os
import pathlib
import pickle
import subprocess
import sys
import warnings

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression

import sknn.explain
from sknn import MLPClassifier
from sknn.explain import explain, explainers
from sknn.explain.explainers import (
    DeepExplainer,
    ExactExplainer,
    GradientExplainer,
    KernelExplainer,
    LimeExplainer,
    LinearExplainer,
    PermutationExplainer,
    as_shap_model,
)

shap = pytest.importorskip("shap")
pytest.importorskip("lime")

ROOT = pathlib.Path(sknn.explain.__file__).parents[2]
ALL = {
    ExactExplainer: "exact",
    PermutationExplainer: "permutation",
    KernelExplainer: "kernel",
    DeepExplainer: "deep",
    GradientExplainer: "expected_gradients",
    LinearExplainer: "linear",
    LimeExplainer: "lime",
}
OF_NETWORKS = [kind for kind in ALL if kind is not LinearExplainer]
SHAPLEY = [kind for kind in ALL if kind is not LimeExplainer]


@pytest.fixture(scope="module")
def perceptron(numbers):
    X, score = numbers
    y = np.array(["low", "mid", "top"])[np.digitize(score, [-0.7, 0.7])]
    model = MLPClassifier((6,), solver="lbfgs", max_iter=10, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # not converged, on purpose
        return model.fit(X, y), X


@pytest.fixture(scope="module")
def linear_model(numbers):
    X, score = numbers
    return LinearRegression().fit(X, score), X


def fitted_for(kind, perceptron, linear_model):
    return linear_model if kind is LinearExplainer else perceptron


@pytest.mark.parametrize("kind", ALL)
def test_explainers_say_what_explain_says(kind, perceptron, linear_model):
    model, X = fitted_for(kind, perceptron, linear_model)
    explainer = kind(model, X[30:50], random_state=0)
    expected = explain(
        model, X[:3], background=X[30:50], method=ALL[kind], random_state=0
    )
    found = explainer(X[:3])
    assert isinstance(found, shap.Explanation)
    np.testing.assert_array_equal(found.values, expected.values)
    assert found.output_names == expected.output_names
    np.testing.assert_array_equal(explainer.shap_values(X[:3]), expected.values)
    for values in (explainer.shap_values(X[0]), explainer.explain_row(X[0])["values"]):
        np.testing.assert_allclose(values, expected.values[0], atol=1e-14)


@pytest.mark.parametrize("kind", SHAPLEY)
def test_the_expected_value_is_the_base_value(kind, perceptron, linear_model):
    model, X = fitted_for(kind, perceptron, linear_model)
    explainer = kind(model, X[30:50], random_state=0)
    np.testing.assert_allclose(
        explainer.expected_value, explainer(X[:1]).base_values[0]
    )
    assert np.shape(explainer.expected_value) == explainer(X[:1]).base_values[0].shape


def test_lime_has_no_expected_value(perceptron):
    model, X = perceptron
    with pytest.raises(AttributeError, match="has the intercept of its own model"):
        _ = LimeExplainer(model, X[30:50]).expected_value


@pytest.mark.parametrize("kind", ALL)
def test_explainers_are_shaps_and_survive_pickle_copy_and_save(
    kind, perceptron, linear_model
):
    model, X = fitted_for(kind, perceptron, linear_model)
    explainer = kind(model, X[30:40], random_state=0)
    assert isinstance(explainer, shap.Explainer)
    assert isinstance(explainer, kind)
    assert str(explainer) == f"sknn.explain.{kind.__name__}()"
    file = io.BytesIO()
    explainer.save(file)
    file.seek(0)
    for other in (
        pickle.loads(pickle.dumps(explainer)),
        copy.deepcopy(explainer),
        kind.load(file),
    ):
        assert type(other) is type(explainer)
        np.testing.assert_array_equal(
            other.shap_values(X[:1]), explainer.shap_values(X[:1])
        )


def test_a_subclass_keeps_its_class_through_pickle(perceptron):
    model, X = perceptron
    explainer = pickle.loads(pickle.dumps(Mine(model, X[30:40], random_state=0)))
    assert isinstance(explainer, Mine)
    assert explainer.shap_values(X[:1]).shape == (1, 5, 3)


class Mine(PermutationExplainer):
    pass


@pytest.mark.parametrize("kind", [PermutationExplainer, KernelExplainer])
def test_calls_repeat_even_without_a_seed(kind, perceptron):
    model, X = perceptron
    explainer = kind(model, X[30:40])
    values = [explainer(X[:1], silent=silent).values for silent in (False, True)]
    np.testing.assert_array_equal(*values)


def test_options_are_those_of_explain_and_the_method(perceptron):
    model, X = perceptron
    explainer = GradientExplainer(model, X[30:40], n_nodes=3, dtype="float32")
    settings = {"background": X[30:40], "method": "expected_gradients"}
    expected = explain(model, X[:2], n_nodes=3, dtype="float32", **settings)
    np.testing.assert_array_equal(explainer.shap_values(X[:2]), expected.values)
    with pytest.raises(
        TypeError, match=r"'deep' takes the options .*got \['n_nodes'\]"
    ):
        DeepExplainer(model, X[30:40], n_nodes=3)


@pytest.mark.parametrize(
    ("settings", "shape", "names"),
    [
        ({"output": "probability"}, (5, 3), ["low", "mid", "top"]),
        ({"target": "mid"}, (5,), None),
        ({"target": ["top", "low"]}, (5, 2), ["top", "low"]),
        ({"target": "predicted"}, (5,), ["low", "mid", "top"]),
    ],
)
def test_outputs_are_chosen_as_in_explain(perceptron, settings, shape, names):
    model, X = perceptron
    explainer = ExactExplainer(model, X[30:40], **settings)
    assert explainer(X[:1])[0].values.shape == shape
    assert explainer.output_names == names
    base = explainer(X[:1]).base_values[0]
    if settings.get("target") == "predicted":
        place = list(model.classes_).index(model.predict(X[:1])[0])
        assert explainer.expected_value.shape == (3,)
        np.testing.assert_allclose(explainer.expected_value[place], base)
    else:
        np.testing.assert_allclose(explainer.expected_value, base)


def test_the_predicted_of_two_classes_has_two_expected_values(binary):
    model, X = binary
    explainer = ExactExplainer(model, X[30:40], target="predicted")
    base = explainer(X[:4]).base_values
    assert np.isin(base.round(9), explainer.expected_value.round(9)).all()


def test_frames_keep_their_types_and_names(mixed):
    model, frame = mixed
    explainer = ExactExplainer(model, frame[50:60])
    values = explainer.shap_values(frame[:2])
    expected = explain(model, frame[:2], background=frame[50:60], method="exact")
    np.testing.assert_array_equal(values, expected.values)
    assert explainer.feature_names == list(frame.columns)
    np.testing.assert_allclose(explainer.expected_value, expected.base_values[0])


def test_maskers_of_shap_give_their_rows(numbers, linear_model):
    pd = pytest.importorskip("pandas")
    model, X = linear_model
    expected = LinearExplainer(model, X[30:50]).shap_values(X[:2])
    frame = pd.DataFrame(X, columns=list("abcde"))
    named = LinearRegression().fit(frame, numbers[1])
    for fitted, masker in (
        (model, shap.maskers.Independent(X[30:50])),
        (named, shap.maskers.Independent(frame[30:50])),
        (model, shap.sample(X[30:50], 50)),
    ):
        found = LinearExplainer(fitted, masker).shap_values(X[:2])
        np.testing.assert_allclose(found, expected, atol=1e-12)


def test_a_masker_that_may_have_dropped_rows_warns(linear_model):
    model, X = linear_model
    with pytest.warns(UserWarning, match="keeps 20 rows, perhaps of more") as record:
        LinearExplainer(model, shap.maskers.Independent(X, max_samples=20))
    assert record[0].filename == __file__


@pytest.mark.parametrize("name", ["Impute", "Partition", "kmeans"])
def test_maskers_that_mean_something_else_are_refused(linear_model, name):
    model, X = linear_model
    if name == "kmeans":
        masker = shap.kmeans(X, 3)
    elif name == "Partition":
        masker = shap.maskers.Partition(X[:30])
    else:
        masker = shap.maskers.Impute({"mean": X.mean(0), "cov": np.cov(X.T)})
    with pytest.raises(ValueError, match="masker must be a table or shap"):
        LinearExplainer(model, masker)


def test_functions_are_sent_to_shaps_own_explainers(perceptron):
    model, X = perceptron
    for function in (model.predict_proba, lambda rows: rows[:, 0]):
        for make in (lambda f: ExactExplainer(f, X), as_shap_model):
            with pytest.raises(TypeError, match=r"or take shap.* shap.PermutationExpl"):
                make(function)


def test_what_does_not_fit_is_refused_when_the_explainer_is_made(perceptron):
    model, X = perceptron
    with pytest.raises(NotFittedError):
        ExactExplainer(MLPClassifier(), X)
    with pytest.raises(ValueError, match=r"masker must be a table .* got None"):
        ExactExplainer(model, None)
    with pytest.raises(ValueError, match="output must be"):
        ExactExplainer(model, X, output="logit")
    with pytest.raises(ValueError, match="random_state must be"):
        ExactExplainer(model, X, random_state=-1)


def test_shaps_plots_draw_what_explainers_say(perceptron):
    plt = pytest.importorskip("matplotlib.pyplot")
    model, X = perceptron
    explanation = PermutationExplainer(model, X[30:40], target="mid")(X[:5])
    shap.plots.waterfall(explanation[0], show=False)
    shap.plots.bar(explanation, show=False)
    plt.close("all")


LOADED = """
import sys, sklearn.linear_model
before = set(sys.modules)
from sknn.explain.explainers import PermutationExplainer
print(*{name.partition(".")[0] for name in set(sys.modules) - before})
"""


def test_naming_an_explainer_imports_no_optional_package():
    result = subprocess.run(
        [sys.executable, "-c", LOADED],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert not set(result.stdout.split()) & {"shap", "lime", "matplotlib", "pandas"}


def test_every_explainer_is_listed():
    found = {kind.__name__ for kind in ALL} | {"as_shap_model"}
    assert found == set(explainers.__all__)


def test_shap_models_name_their_outputs_and_take_arrays_for_frames(mixed, perceptron):
    model, frame = mixed
    as_model = as_shap_model(model)
    np.testing.assert_array_equal(as_model(frame[:3]), model.predict_proba(frame[:3]))
    assert as_model.output_names == ["buys", "leaves"]
    assert as_shap_model(model, target="buys").output_names is None
    assert as_shap_model(model, target="buys")(frame[:3]).shape == (3,)
    assert pickle.loads(pickle.dumps(as_model)).output_names == ["buys", "leaves"]


def test_shap_models_of_regressors_find_out_their_outputs(two_targets, regression):
    model, X = two_targets
    assert as_shap_model(model)(X[:3]).shape == (3, 2)
    assert as_shap_model(model).output_names is None
    np.testing.assert_array_equal(
        as_shap_model(model, target=1)(X[:3]), model.predict(X[:3])[:, 1]
    )
    model, X = regression
    assert as_shap_model(model)(X[:3]).shape == (3,)


def test_shap_models_have_no_predicted_target(perceptron):
    model, _ = perceptron
    with pytest.raises(ValueError, match="is another output for each row"):
        as_shap_model(model, target="predicted")


def test_shaps_own_explainers_take_a_shap_model(numbers):
    pd = pytest.importorskip("pandas")
    X, score = numbers
    frame = pd.DataFrame(X, columns=list("abcde"))
    model = MLPClassifier((4,), solver="lbfgs", max_iter=5, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(frame, np.digitize(score, [-0.7, 0.7]))
    as_model = as_shap_model(model)
    kernel = shap.KernelExplainer(as_model, frame[30:40])
    values = kernel.shap_values(frame[:1], silent=True, l1_reg=False)
    expected = explain(model, frame[:1], background=frame[30:40], method="exact")
    np.testing.assert_allclose(values, expected.values, atol=1e-8)
    assert shap.models.Model(as_model).output_names == ["0", "1", "2"]
