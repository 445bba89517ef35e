"""Which numbers are explained, for every kind of estimator."""

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import IsolationForest, RandomForestClassifier
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sknn.explain._outputs import raw_output, select_outputs

rng = np.random.default_rng(0)
X = rng.normal(size=(60, 3))
TWO = np.where(X[:, 0] > 0, "yes", "no")
THREE = np.array(["b", "a", "c"])[np.digitize(X[:, 1], [-0.5, 0.5])]

margin_of_two = LinearDiscriminantAnalysis().fit(X, TWO)
margin_of_three = make_pipeline(StandardScaler(), LinearDiscriminantAnalysis()).fit(
    X, THREE
)
neighbours = KNeighborsClassifier().fit(X, THREE)
regression = LinearRegression().fit(X, X[:, 0])
two_targets = LinearRegression().fit(X, X[:, :2])


def chosen(model, output="auto", target=None):
    raw = raw_output(model, output)
    return select_outputs(raw, raw(X), target)


def test_auto_is_the_margin_where_there_is_one():
    np.testing.assert_allclose(
        chosen(margin_of_three)(X), margin_of_three.decision_function(X)
    )
    assert chosen(margin_of_three).names == ("a", "b", "c")


def test_the_margin_of_two_classes_is_one_column_of_the_second():
    output = chosen(margin_of_two)
    assert output(X).shape == (60, 1)
    assert output.names == ("yes",)
    np.testing.assert_allclose(output(X)[:, 0], margin_of_two.decision_function(X))


def test_the_margin_of_the_first_of_two_classes_has_the_other_sign():
    output = chosen(margin_of_two, target="no")
    assert output.names == ("no",)
    np.testing.assert_allclose(output(X)[:, 0], -margin_of_two.decision_function(X))


def test_auto_is_the_probability_where_there_is_no_margin():
    np.testing.assert_allclose(chosen(neighbours)(X), neighbours.predict_proba(X))


def test_probabilities_of_two_classes_are_two_columns():
    output = chosen(margin_of_two, "probability")
    assert output.names == ("no", "yes")
    assert output(X).shape == (60, 2)


def test_auto_is_the_prediction_of_a_regressor():
    assert chosen(regression).names is None
    np.testing.assert_allclose(chosen(regression)(X)[:, 0], regression.predict(X))


def test_several_targets_of_a_regressor_are_numbered():
    assert chosen(two_targets).names == ("Output 0", "Output 1")
    np.testing.assert_allclose(
        chosen(two_targets, target="Output 1")(X)[:, 0], two_targets.predict(X)[:, 1]
    )


def test_an_outlier_detector_is_explained_by_its_margin():
    forest = IsolationForest(n_estimators=3, random_state=0).fit(X)
    np.testing.assert_allclose(chosen(forest)(X)[:, 0], forest.decision_function(X))


@pytest.mark.parametrize(
    ("target", "picked"),
    [("b", [1]), (2, [2]), (np.int64(0), [0]), (["c", "a"], [2, 0]), ([1], [1])],
)
def test_a_target_is_a_label_or_an_index_or_a_list(target, picked):
    expected = margin_of_three.decision_function(X)[:, picked]
    np.testing.assert_allclose(chosen(margin_of_three, target=target)(X), expected)


def test_a_label_goes_before_an_index():
    model = LinearDiscriminantAnalysis().fit(X, np.where(TWO == "yes", 0, 1) * 2 + 1)
    assert chosen(model, "probability", target=1).names == ("1",)
    assert chosen(model, "probability", target=3).names == ("3",)


def test_the_predicted_class_is_found_for_each_row():
    output = chosen(margin_of_three, target="predicted")
    places = output.per_row(X)
    assert [output.names[k] for k in places] == margin_of_three.predict(X).tolist()
    assert chosen(margin_of_three).per_row(X) is None


@pytest.mark.parametrize(
    ("model", "output", "message"),
    [
        (margin_of_two, "logit", "output must be 'auto' or one of .*got 'logit'"),
        (
            margin_of_two,
            "prediction",
            r"'prediction' cannot be had from Linear.*margin",
        ),
        (
            neighbours,
            "margin",
            r"'margin' .* KNeighborsClassifier; .*\['probability'\]",
        ),
        (regression, "probability", r"choose one of \['prediction'\]"),
    ],
)
def test_an_output_that_cannot_be_had_is_refused(model, output, message):
    with pytest.raises(ValueError, match=message):
        raw_output(model, output)


@pytest.mark.parametrize(
    ("model", "target", "message"),
    [
        (
            margin_of_three,
            "d",
            r"one of \['a', 'b', 'c'\] or an index below 3, got 'd'",
        ),
        (margin_of_three, 3, "index below 3, got 3"),
        (margin_of_three, -1, "got -1"),
        (margin_of_three, [], "empty list"),
        (two_targets, "predicted", "needs a classifier, got LinearRegression"),
    ],
)
def test_a_target_that_is_not_there_is_refused(model, target, message):
    with pytest.raises(ValueError, match=message):
        chosen(model, target=target)


def test_an_unfitted_model_is_refused():
    with pytest.raises(NotFittedError):
        raw_output(make_pipeline(StandardScaler(), MLPClassifier()), "auto")


@pytest.mark.parametrize("thing", ["a string", lambda X: X])
def test_what_is_no_estimator_is_refused(thing):
    with pytest.raises(TypeError, match="fitted scikit-learn estimator or pipeline"):
        raw_output(thing, "auto")


def test_a_single_class_is_refused():
    model = KNeighborsClassifier().fit(X, ["only"] * 60)
    with pytest.raises(ValueError, match="fitted on the one class 'only'"):
        chosen(model)


def test_labels_alone_cannot_be_explained():
    model = SVC().fit(X, TWO)
    assert raw_output(model, "auto").method == "decision_function"

    class LabelsOnly(SVC):
        decision_function = property()
        predict_proba = property()

    with pytest.raises(ValueError, match="neither decision_function nor predict_proba"):
        raw_output(LabelsOnly().fit(X, TWO), "auto")


def test_one_against_one_margins_point_to_probabilities():
    labels = np.digitize(X[:, 1], [-1, 0, 1])
    model = SVC(decision_function_shape="ovo").fit(X, labels)
    with pytest.raises(ValueError, match=r"6 columns for 4 classes.*probability"):
        chosen(model)


def test_tables_for_several_targets_at_once_are_refused():
    model = RandomForestClassifier(2).fit(X, np.column_stack([TWO, THREE]))
    with pytest.raises(ValueError, match="one table for each of 2 targets"):
        chosen(model)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_several_labels_have_outputs_of_their_own_but_no_predicted_class():
    labels = (X > 0).astype(int)
    model = MLPClassifier(max_iter=2, random_state=0).fit(X, labels)
    assert chosen(model, "probability").names == ("0", "1", "2")
    with pytest.raises(ValueError, match="gives 3 labels"):
        chosen(model, "probability", target="predicted").per_row(X)


def test_an_output_that_is_not_finite_is_refused():
    class Infinite(LinearRegression):
        def predict(self, X):
            return np.full(len(X), np.inf)

    with pytest.raises(ValueError, match=r"Infinite.predict must be finite"):
        chosen(Infinite().fit(X, X[:, 0]))


def test_an_output_of_text_is_refused():
    class Text(LinearRegression):
        def predict(self, X):
            return np.full(len(X), "text")

    with pytest.raises(ValueError, match=r"Text.predict must give numbers"):
        chosen(Text().fit(X, X[:, 0]))
