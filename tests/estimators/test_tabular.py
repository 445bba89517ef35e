"""Tables as they are: folds that validate, honest probabilities, intervals."""

import pickle

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from scipy.special import expit, softmax
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.datasets import load_iris
from sklearn.exceptions import NotFittedError
from sklearn.metrics import accuracy_score, r2_score
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sknn import (
    MLPClassifier,
    MLPRegressor,
    TabularMLPClassifier,
    TabularMLPRegressor,
)
from sknn.estimators._calibration import Residuals, fit_temperature
from sknn.losses import MultinomialLogLoss

# What the defaults are is no affair of these tests.
SETTINGS = {
    "hidden_layer_sizes": (8,),
    "activation": "tanh",
    "dropout": 0.1,
    "numeric_embedding": None,
    "learning_rate": "cosine",
    "learning_rate_init": 0.05,
    "batch_size": 16,
    "max_iter": 5,
    "min_steps": 0,
    "dtype": "float64",
    "random_state": 0,
}
BOTH = pytest.mark.parametrize("kind", [TabularMLPClassifier, TabularMLPRegressor])


OWN = {TabularMLPClassifier: {}, TabularMLPRegressor: {"clip_predictions": False}}


def make(kind, n_estimators=3, **settings):
    return kind(n_estimators, **{**SETTINGS, **OWN[kind], **settings})


def classifier(*args, **settings):
    return make(TabularMLPClassifier, *args, **settings)


def regressor(*args, **settings):
    return make(TabularMLPRegressor, *args, **settings)


def make_frame(n=90, seed=0):
    """Numbers, words, categories and booleans, with gaps in both kinds."""
    rng = np.random.default_rng(seed)
    size, flag = rng.normal(size=n), rng.random(n) < 0.5
    word = rng.choice(["red", "green", "blue"], n).astype(object)
    value = size + 2.0 * flag + (word == "red") + 0.1 * rng.normal(size=n)
    word[rng.random(n) < 0.1] = None
    frame = pd.DataFrame(
        {
            "size": np.where(rng.random(n) < 0.2, np.nan, size),
            "count": rng.integers(0, 9, n),
            "word": word,
            "code": pd.Categorical(rng.choice(list("uvw"), n)),
            "flag": flag,
            "void": np.nan,
        }
    )
    return frame, value


frame, numbers = make_frame()
labels = np.where(numbers > 1.3, "yes", "no")
X, species = load_iris(return_X_y=True)
names = np.array(["a", "b", "c"])[species]


def target(kind):
    return labels if kind is TabularMLPClassifier else numbers


def scores(model, table=frame):
    """Scores of a classifier, predictions of a regressor."""
    return getattr(model, "decision_function", model.predict)(table)


def left_out(model, n):
    """Pairs of a member and the rows that it was validated on."""
    pairs = zip(model.estimators_, model.estimators_samples_, strict=True)
    return [(member, np.setdiff1d(np.arange(n), rows)) for member, rows in pairs]


# Tables as they are --------------------------------------------------------------


@BOTH
def test_a_frame_goes_in_as_it_is(kind):
    model = make(kind, max_iter=20, numeric_embedding="pbld").fit(frame, target(kind))
    assert model.score(frame, target(kind)) > 0.5
    assert list(model.feature_names_in_) == list(frame.columns)
    assert model.n_features_in_ == 6
    assert model.predict(frame).shape == (90,)


@BOTH
def test_arrays_and_lists_are_tables_too(kind):
    y = names if kind is TabularMLPClassifier else species
    expected = make(kind).fit(X, y).predict(X)
    model = make(kind).fit(X.tolist(), y.tolist())
    np.testing.assert_array_equal(model.predict(X.tolist()), expected)


@BOTH
def test_unseen_and_missing_values_are_taken_at_predict(kind):
    model = make(kind).fit(frame, target(kind))
    new = frame.head(3).assign(size=np.nan, count=3, flag=True)
    new = new.assign(word=["mauve", None, "mauve"], code=pd.Categorical([9, 9, None]))
    found = scores(model, new)
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found, np.full(3, found[0]), rtol=1e-6)
    far = frame.head(2).assign(size=[1e308, -1e308], void=[1.0, np.nan])
    assert np.isfinite(scores(model, far)).all()


@BOTH
def test_names_of_columns_are_checked_at_predict(kind):
    model = make(kind, 1).fit(frame, target(kind))
    for other in (frame[frame.columns[::-1]], frame.drop(columns="word")):
        with pytest.raises(ValueError, match="feature names should match"):
            model.predict(other)


@BOTH
def test_members_can_be_used_by_themselves(kind):
    model = make(kind).fit(frame, target(kind))
    each = [scores(member) for member in model.estimators_]
    np.testing.assert_allclose(np.mean(each, axis=0), scores(model), atol=1e-10)
    member = pickle.loads(pickle.dumps(model.estimators_[0]))
    assert type(member) is {
        TabularMLPClassifier: MLPClassifier,
        TabularMLPRegressor: MLPRegressor,
    }.get(kind)
    np.testing.assert_array_equal(scores(member), each[0])
    again = clone(member).fit(frame, target(kind))
    assert again.predict(frame).shape == (90,)
    with pytest.raises(ValueError, match="feature names should match"):
        member.predict(frame[frame.columns[::-1]])


@BOTH
def test_all_members_see_columns_encoded_alike(kind):
    model = make(kind).fit(frame, target(kind))
    assert all(m._columns is model._columns for m in model.estimators_)
    expected = model._columns.transform(frame)
    np.testing.assert_array_equal(model._check_X(frame), expected)


# Folds that validate -------------------------------------------------------------


@BOTH
@pytest.mark.parametrize(
    ("n_estimators", "n_folds"), [(1, 5), (2, 5), (4, 4), (7, 7)], ids=str
)
def test_each_network_is_validated_on_a_fold_of_its_own(kind, n_estimators, n_folds):
    model = make(kind, n_estimators).fit(frame, target(kind))
    assert len(model.estimators_) == n_estimators
    folds = [rows for _, rows in left_out(model, 90)]
    assert {len(rows) for rows in folds} <= {90 // n_folds, -(-90 // n_folds)}
    assert len(np.unique(np.concatenate(folds))) == sum(map(len, folds))
    for member, rows in left_out(model, 90):
        history = member.history_
        assert len(history["validation_loss"]) == member.n_iter_
        best = min(history["validation_loss"])
        # the weights are those of the epoch that was best on the fold
        assert history["validation_loss"][member.best_iter_ - 1] == best
        if kind is TabularMLPRegressor:
            moved = (numbers[rows] - member.predict(frame.iloc[rows])) ** 2
            scale = member._targets.scale[0] ** 2
            np.testing.assert_allclose(np.mean(moved) / scale / 2, best, rtol=1e-9)


def test_folds_have_their_share_of_each_class():
    model = classifier(5).fit(X, names)
    for _, rows in left_out(model, 150):
        assert np.bincount(species[rows]).tolist() == [10, 10, 10]


@BOTH
def test_groups_are_held_out_as_a_whole(kind):
    groups = np.random.default_rng(0).integers(0, 12, 90)
    model = make(kind, 4).fit(frame, target(kind), groups=groups)
    for _, rows in left_out(model, 90):
        assert len(rows)
        assert not np.isin(groups[rows], np.delete(groups, rows)).any()


@BOTH
def test_given_validation_data_leaves_all_samples_to_training(kind):
    y, given = target(kind), {"X_val": frame[60:], "y_val": target(kind)[60:]}
    model = make(kind, 2).fit(frame[:60], y[:60], **given)
    for rows in model.estimators_samples_:
        np.testing.assert_array_equal(rows, range(60))
    for member in model.estimators_:
        assert len(member.history_["validation_loss"]) == member.n_iter_
    assert not hasattr(model, "oob_prediction_")
    assert not hasattr(model, "oob_score_")


@BOTH
def test_a_refit_with_validation_data_forgets_what_was_left_out_before(kind):
    y = target(kind)
    model = make(kind, 1).fit(frame, y)
    assert hasattr(model, "oob_score_")
    model.fit(frame[:60], y[:60], X_val=frame[60:], y_val=y[60:])
    assert not hasattr(model, "oob_prediction_")
    assert not hasattr(model, "oob_score_")


@BOTH
@pytest.mark.parametrize("form", [list, np.asarray, pd.Series])
def test_weights_come_in_any_form(kind, form):
    y, w = target(kind), np.random.default_rng(0).uniform(0.5, 2, 90)

    def fit(form):
        return make(kind, 1).fit(
            frame[:60],
            form(y[:60]),
            form(w[:60]),
            X_val=frame[60:],
            y_val=form(y[60:]),
            sample_weight_val=form(w[60:]),
        )

    np.testing.assert_array_equal(scores(fit(form)), scores(fit(np.asarray)))


@BOTH
def test_members_train_at_least_min_steps(kind):
    model = make(kind, 1, min_steps=20, max_iter=2).fit(frame, target(kind))
    # 72 samples are 5 batches of 16, of which the last one is half
    assert model.estimators_[0].n_iter_ == np.ceil(20 * 16 / 72)
    model = make(kind, 1, min_steps=20, max_iter=7).fit(frame, target(kind))
    assert model.estimators_[0].n_iter_ == 7


# Few samples ---------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize("n", [2, 3, 5])
@pytest.mark.parametrize("n_estimators", [1, 4])
def test_few_samples_are_enough(kind, n, n_estimators):
    y = target(kind)[:n] if kind is TabularMLPRegressor else np.arange(n) % 2
    model = make(kind, n_estimators).fit(frame[:n], y)
    assert len(model.estimators_) == n_estimators
    assert np.isfinite(scores(model)).all()


@BOTH
def test_one_sample_is_not(kind):
    with pytest.raises(ValueError, match=r"at least 2 samples, got 1 sample"):
        make(kind).fit(frame[:1], target(kind)[:1])
    with pytest.raises(ValueError, match=r"at least 2 groups, got 1 group"):
        make(kind).fit(frame, target(kind), groups=np.zeros(90))


def test_classes_of_one_sample_keep_their_columns():
    y = np.repeat([0, 1, 2], [88, 1, 1])
    model = classifier(4).fit(frame, y)
    p = model.predict_proba(frame)
    assert p.shape == (90, 3)
    np.testing.assert_allclose(p.sum(axis=1), 1, atol=1e-12)
    assert all(member.classes_.tolist() == [0, 1, 2] for member in model.estimators_)


def test_one_class_is_certain():
    model = classifier(2).fit(frame, np.full(90, "only"))
    assert model.classes_.tolist() == ["only"]
    np.testing.assert_array_equal(model.predict_proba(frame), np.ones((90, 1)))
    assert set(model.predict(frame)) == {"only"}
    assert model.temperature_ == 1.0


# Classes -------------------------------------------------------------------------


def test_probabilities_are_those_of_the_mean_of_the_members_scores():
    model = classifier().fit(X, names)
    each = [member.decision_function(X) for member in model.estimators_]
    raw = model.decision_function(X)
    np.testing.assert_allclose(raw, np.mean(each, axis=0), atol=1e-10)
    p = model.predict_proba(X)
    np.testing.assert_allclose(p, softmax(raw, axis=1), atol=1e-10)
    np.testing.assert_array_equal(model.predict(X), model.classes_[p.argmax(axis=1)])
    np.testing.assert_allclose(model.predict_log_proba(X), np.log(p), atol=1e-10)


def test_two_classes_have_one_score():
    model = classifier().fit(frame, labels)
    raw = model.decision_function(frame)
    assert raw.shape == (90,)
    p = model.predict_proba(frame)
    np.testing.assert_allclose(p, np.column_stack([expit(-raw), expit(raw)]))
    np.testing.assert_array_equal(model.predict(frame) == "yes", raw > 0)


def test_labels_of_several_kinds_at_once():
    Y = np.column_stack([numbers > 0, numbers > 1, numbers > 2]).astype(int)
    model = classifier().fit(frame, Y)
    raw = model.decision_function(frame)
    p = model.predict_proba(frame)
    np.testing.assert_allclose(p, expit(raw), atol=1e-12)
    np.testing.assert_array_equal(model.predict(frame), (p > 0.5).astype(int))
    folds = {len(rows) for _, rows in left_out(model, 90)}
    covered = ~np.isnan(model.oob_prediction_).any(axis=1)
    assert model.oob_prediction_.shape == (90, 3)
    assert folds == {18} and covered.sum() == 54


def test_probabilities_left_out_are_those_of_the_member_that_left_out_the_sample():
    model = classifier(5).fit(X, names)
    expected = np.full((150, 3), np.nan)
    for member, rows in left_out(model, 150):
        expected[rows] = member.predict_proba(X[rows])
    np.testing.assert_allclose(model.oob_prediction_, expected, atol=1e-10)
    found = model.classes_[expected.argmax(axis=1)]
    assert model.oob_score_ == accuracy_score(names, found)


def test_samples_that_no_fold_of_few_networks_holds_have_no_prediction():
    model = classifier(2).fit(X, names)
    held = np.concatenate([rows for _, rows in left_out(model, 150)])
    known = ~np.isnan(model.oob_prediction_).any(axis=1)
    np.testing.assert_array_equal(np.flatnonzero(known), np.sort(held))
    found = model.classes_[model.oob_prediction_[known].argmax(axis=1)]
    assert model.oob_score_ == accuracy_score(names[known], found)


def smoothed(n):
    """The log loss with one sample's worth of smoothing."""
    return MultinomialLogLoss(label_smoothing=1 / (n + 1))


def test_the_temperature_stays_finite_where_all_samples_are_right():
    rng = np.random.default_rng(0)
    apart = rng.normal(size=(100, 2)) + 8 * (np.arange(100) % 2)[:, None]
    model = classifier(2, max_iter=20).fit(apart, np.arange(100) % 2)
    assert model.oob_score_ == 1
    assert model.temperature_ > 0.02


@pytest.mark.parametrize("weighted", [False, True])
def test_members_scores_left_out_have_temperature_one(weighted):
    w = np.random.default_rng(0).uniform(0.2, 2, 150) if weighted else None
    model = classifier(5, max_iter=10).fit(X, names, w)
    raw = np.empty((150, 3))
    for member, rows in left_out(model, 150):
        raw[rows] = member.decision_function(X[rows])
    once_more = fit_temperature(raw, np.eye(3)[species], w, smoothed(150))
    assert once_more == pytest.approx(1.0, rel=1e-6)
    assert model.temperature_ != pytest.approx(1.0, rel=1e-2)


def test_validation_data_tell_the_temperature_of_the_mean():
    given, w = slice(0, None, 3), np.linspace(1, 2, 50)
    rest = np.delete(np.arange(150), given)
    model = classifier(2, max_iter=10).fit(
        X[rest], names[rest], X_val=X[given], y_val=names[given], sample_weight_val=w
    )
    raw, y = model.decision_function(X[given]), np.eye(3)[species[given]]
    once_more = fit_temperature(raw, y, w, smoothed(50))
    assert once_more == pytest.approx(1.0, rel=1e-6)


def test_weights_of_classes_are_weights_of_their_samples():
    factors = {"a": 2.0, "b": 1.0, "c": 0.5}
    w = np.array([factors[name] for name in names])
    expected = classifier().fit(X, names, w).predict_proba(X)
    found = classifier(class_weight=factors).fit(X, names).predict_proba(X)
    np.testing.assert_allclose(found, expected, atol=1e-10)


def test_balanced_classes_count_alike():
    y = np.where(numbers > 2.5, "rare", "often")
    model = classifier(class_weight="balanced", max_iter=15).fit(frame, y)
    plain = classifier(max_iter=15).fit(frame, y)
    mean = [m.predict_proba(frame)[:, 1].mean() for m in (model, plain)]
    assert mean[0] > mean[1] + 0.05


# Numbers -------------------------------------------------------------------------


def test_predictions_are_the_mean_of_the_members():
    model = regressor().fit(frame, numbers)
    each = [member.predict(frame) for member in model.estimators_]
    np.testing.assert_allclose(model.predict(frame), np.mean(each, axis=0), atol=1e-10)
    mean, std = model.predict(frame, return_std=True)
    np.testing.assert_allclose(mean, model.predict(frame), atol=1e-10)
    np.testing.assert_allclose(std, np.std(each, axis=0), atol=1e-10)


def test_predictions_left_out_are_those_of_the_member_that_left_out_the_sample():
    model = regressor(5).fit(frame, numbers)
    expected = np.full(90, np.nan)
    for member, rows in left_out(model, 90):
        expected[rows] = member.predict(frame.iloc[rows])
    np.testing.assert_allclose(model.oob_prediction_, expected, atol=1e-10)
    assert model.oob_score_ == pytest.approx(r2_score(numbers, expected))


@pytest.mark.parametrize("n_outputs", [1, 2])
def test_clipped_predictions_stay_in_the_range_of_y(n_outputs):
    x = np.linspace(-1, 1, 60)[:, None]
    y = np.column_stack([x, 3 - x])[:, :n_outputs].squeeze()
    far = np.array([[-1e3], [0.1], [1e3]])
    settings = {"max_iter": 60, "dropout": 0.0}
    free = regressor(2, clip_predictions=False, **settings).fit(x, y)
    model = regressor(2, clip_predictions=True, **settings).fit(x, y)
    each = [member.predict(far) for member in free.estimators_]
    low, high = y.min(axis=0), y.max(axis=0)
    assert (np.max(each, axis=0) > high).any()
    expected = np.mean(np.clip(each, low, high), axis=0)
    np.testing.assert_allclose(model.predict(far), expected, atol=1e-10)
    mean, _ = model.predict(far, return_std=True)
    np.testing.assert_allclose(mean, expected, atol=1e-10)


@pytest.mark.parametrize("n_estimators", [1, 3, 5])
@pytest.mark.parametrize("n_outputs", [1, 2])
def test_intervals_rest_on_the_errors_of_each_member_left_out(n_estimators, n_outputs):
    y = np.column_stack([numbers, -numbers])[:, :n_outputs].squeeze()
    model = regressor(n_estimators).fit(frame, y)
    errors = [
        y[rows] - member.predict(frame.iloc[rows])
        for member, rows in left_out(model, 90)
    ]
    each = [m.predict(frame).reshape(90, -1) for m in model.estimators_]
    expected = Residuals.of(errors).interval(each, 0.8)
    found = model.predict_interval(frame, 0.8)
    assert found.shape == ((90, 2) if n_outputs == 1 else (90, 2, 2))
    np.testing.assert_allclose(found.reshape(90, -1, 2), expected, atol=1e-10)


@pytest.mark.parametrize("n_estimators", [1, 3])
def test_with_validation_data_intervals_rest_on_the_errors_of_the_mean(n_estimators):
    given = {"X_val": frame[60:], "y_val": numbers[60:]}
    model = regressor(n_estimators).fit(frame[:60], numbers[:60], **given)
    errors = np.sort(np.abs(numbers[60:] - model.predict(frame[60:])))
    radius = errors[int(np.ceil(0.8 * 31)) - 1]
    mean = model.predict(frame)
    expected = np.column_stack([mean - radius, mean + radius])
    np.testing.assert_allclose(model.predict_interval(frame, 0.8), expected, atol=1e-9)


@pytest.mark.parametrize("coverage", [0, 1, -0.1, 1.5, np.nan, "0.9", None, True])
def test_a_coverage_that_is_none_is_named(coverage):
    model = regressor(1).fit(frame, numbers)
    with pytest.raises(ValueError, match=r"coverage must lie in \(0, 1\), got"):
        model.predict_interval(frame, coverage)


def test_a_coverage_that_needs_more_samples_says_how_many():
    model = regressor(1).fit(frame, numbers)  # 18 samples are left out
    assert model.predict_interval(frame, 18 / 19).shape == (90, 2)
    with pytest.raises(ValueError, match=r"needs at least 99 samples .* got 18"):
        model.predict_interval(frame, 0.99)


def test_several_outputs_are_predicted_at_once():
    Y = np.column_stack([numbers, -numbers])
    model = regressor(5, max_iter=15).fit(frame, Y)
    assert model.predict(frame).shape == model.oob_prediction_.shape == (90, 2)
    assert model.score(frame, Y) > 0.5


# Weights -------------------------------------------------------------------------


@BOTH
def test_the_unit_of_weights_does_not_matter(kind):
    w = np.random.default_rng(0).uniform(0.2, 2, 90)
    expected = scores(make(kind).fit(frame, target(kind), w))
    for unit in (2.0**-20, 2.0**20):
        found = scores(make(kind).fit(frame, target(kind), unit * w))
        np.testing.assert_allclose(found, expected, atol=1e-10)
    none = scores(make(kind).fit(frame, target(kind)))
    ones = scores(make(kind).fit(frame, target(kind), np.ones(90)))
    np.testing.assert_allclose(ones, none, atol=1e-10)


@BOTH
@pytest.mark.parametrize("by_class", [False, True])
def test_samples_that_validate_count_by_their_weights(kind, by_class):
    w = np.random.default_rng(0).uniform(0.2, 2, 90)
    settings, weights = {}, w
    if by_class and kind is TabularMLPClassifier:
        settings = {"class_weight": {"yes": 5.0, "no": 1.0}, "label_smoothing": 0.0}
        weights = w * np.where(labels == "yes", 5.0, 1.0)
    elif kind is TabularMLPClassifier:
        settings = {"label_smoothing": 0.0}
    model = make(kind, 2, **settings).fit(frame, target(kind), w)
    for member, rows in left_out(model, 90):
        if kind is TabularMLPClassifier:
            raw = member.decision_function(frame.iloc[rows]) * model.temperature_
            losses = np.logaddexp(0, np.where(labels[rows] == "yes", -raw, raw))
        else:
            errors = numbers[rows] - member.predict(frame.iloc[rows])
            losses = (errors / member._targets.scale[0]) ** 2 / 2
        expected = -np.average(losses, weights=weights[rows])
        assert member.best_validation_score_ == pytest.approx(expected)


def test_the_targets_of_samples_without_weight_do_not_matter():
    w = np.ones(90)
    w[::4] = 0
    spoilt = np.where(w == 0, 1e6, numbers)
    model = regressor(5).fit(frame, numbers, w)
    other = regressor(5).fit(frame, spoilt, w)
    np.testing.assert_allclose(other.predict(frame), model.predict(frame), atol=1e-10)
    assert other.oob_score_ == pytest.approx(model.oob_score_)


def test_intervals_do_not_rest_on_samples_without_weight():
    w = np.ones(90)
    w[::4] = 0
    expected, found = (
        regressor(5).fit(frame, y, w).predict_interval(frame, 0.8)
        for y in (numbers, np.where(w == 0, 1e6, numbers))
    )
    np.testing.assert_allclose(found, expected, atol=1e-9)


# As scikit-learn has it ----------------------------------------------------------


@BOTH
def test_the_same_random_state_gives_the_same_bits(kind):
    one, other = (scores(make(kind).fit(frame, target(kind))) for _ in range(2))
    np.testing.assert_array_equal(one, other)
    third = scores(make(kind, random_state=1).fit(frame, target(kind)))
    assert not np.array_equal(one, third)


@BOTH
def test_parameters_make_a_round_trip(kind):
    model = make(kind, 2, min_steps=3).fit(frame, target(kind))
    before = model.get_params()
    twin = clone(model)
    assert twin.get_params() == before
    assert not hasattr(twin, "estimators_")
    assert before["n_estimators"] == 2 and before["min_steps"] == 3
    np.testing.assert_array_equal(scores(twin.fit(frame, target(kind))), scores(model))
    assert model.get_params() == before  # fit has changed none
    model.set_params(n_estimators=1, hidden_layer_sizes=())
    assert len(model.fit(frame, target(kind)).estimators_) == 1


@BOTH
def test_a_pickle_predicts_the_same(kind):
    model = make(kind).fit(frame, target(kind))
    twin = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(scores(twin), scores(model))


@BOTH
def test_searches_pipelines_and_cross_validation_take_them(kind):
    y = target(kind)
    grid = {"dropout": [0.0, 0.2], "n_estimators": [1, 2]}
    search = GridSearchCV(make(kind, max_iter=2), grid, cv=2).fit(frame, y)
    assert (
        len(search.best_estimator_.estimators_) == search.best_params_["n_estimators"]
    )
    assert np.isfinite(cross_val_score(make(kind, 1, max_iter=2), frame, y, cv=2)).all()
    behind = make_pipeline(FunctionTransformer(), make(kind)).fit(frame, y)
    expected = scores(make(kind).fit(frame, y))
    np.testing.assert_array_equal(scores(behind), expected)


def test_they_say_what_they_are():
    assert is_classifier(TabularMLPClassifier())
    assert is_regressor(TabularMLPRegressor())


@BOTH
def test_there_is_no_partial_fit(kind):
    model = make(kind)
    assert not hasattr(model, "partial_fit")
    with pytest.raises(AttributeError, match="partial_fit") as caught:
        model.partial_fit(frame, target(kind))
    reason = str(caught.value.__cause__)
    assert reason.startswith(f"{kind.__name__} has no partial_fit")
    assert "MLPClassifier and MLPRegressor have one" in reason


@BOTH
def test_before_a_fit_there_is_nothing_to_predict(kind):
    names = ["predict"]
    names += ["predict_proba", "predict_log_proba", "decision_function"] * (
        kind is TabularMLPClassifier
    )
    names += ["predict_interval"] * (kind is TabularMLPRegressor)
    for name in names:
        with pytest.raises(NotFittedError):
            getattr(make(kind), name)(frame)


# Training ------------------------------------------------------------------------


@BOTH
def test_time_is_up_for_all_members(kind):
    model = make(kind, max_iter=10**6, max_time=0.15)
    model.fit(frame, target(kind))
    assert all(1 <= member.n_iter_ < 10**6 for member in model.estimators_)
    assert np.isfinite(scores(model)).all()
    assert model.max_time == 0.15


@BOTH
def test_callbacks_are_told_by_every_member(kind):
    told = []
    model = make(kind, 2, callbacks=lambda epoch: told.append(epoch.number))
    model.fit(frame, target(kind))
    assert sorted(told) == sorted(2 * [1, 2, 3, 4, 5])


@BOTH
def test_a_failed_fit_leaves_the_earlier_model(kind):
    model = make(kind).fit(frame, target(kind))
    before = scores(model)

    def fails(epoch):
        raise RuntimeError("no more")

    with pytest.raises(RuntimeError, match="no more"):
        model.set_params(callbacks=fails).fit(frame[["size"]], target(kind))
    with pytest.raises(ValueError, match="inconsistent"):
        model.set_params(callbacks=None).fit(frame[["size"]], target(kind)[:5])
    np.testing.assert_array_equal(scores(model), before)
    assert model.n_features_in_ == 6


# What cannot be ------------------------------------------------------------------


DO_NOT_FIT = r"X_val, y_val or sample_weight_val do not fit"
MISFITS = {
    "no y": ({"y": None}, "requires y to be passed"),
    "short y": ({"y": np.zeros(5)}, "inconsistent numbers of samples"),
    "no samples": ({"X": frame[:0], "y": []}, r"0 sample\(s\)"),
    "short weights": ({"sample_weight": np.ones(5)}, r"sample_weight\.shape == \(5,\)"),
    "negative weights": ({"sample_weight": -np.ones(90)}, "Negative values in data"),
    "no weights": ({"sample_weight": np.zeros(90)}, "at least one"),
    "short groups": ({"groups": np.ones(5)}, "one entry for each of the 90 samples"),
    "no y_val": ({"X_val": frame}, "X_val and y_val must be given together"),
    "no X_val": ({"y_val": labels}, "X_val and y_val must be given together"),
    "weights only": ({"sample_weight_val": np.ones(90)}, "without X_val and y_val"),
    "other columns": ({"X_val": frame[["size"]], "y_val": labels}, DO_NOT_FIT),
    "short y_val": ({"X_val": frame, "y_val": np.zeros(5)}, DO_NOT_FIT),
}


@BOTH
@pytest.mark.parametrize("case", MISFITS)
def test_what_does_not_fit_is_named(kind, case):
    given, words = MISFITS[case]
    with pytest.raises(ValueError, match=words):
        make(kind).fit(**{"X": frame, "y": target(kind), **given})


@BOTH
@pytest.mark.parametrize(
    "settings",
    [
        {"n_estimators": 0},
        {"min_steps": -1},
        {"batch_size": 0},
        {"batch_size": "large"},
        {"hidden_layer_sizes": "many"},
        {"dropout": 1.5},
        {"scaling": "minmax"},
        {"parametrization": "mup"},
        {"input_scale": -1.0},
        {"max_time": -1.0},
        {"random_state": "x"},
    ],
    ids=str,
)
def test_bad_parameters_are_named(kind, settings):
    (name,) = settings
    model = make(kind).set_params(**settings)
    with pytest.raises(ValueError, match=rf"{name}'? (parameter|must)"):
        model.fit(frame, target(kind))


@BOTH
@pytest.mark.parametrize(
    "settings",
    [{}, {"scaling": None, "categorical_features": None, "input_scale": None}],
    ids=str,
)
def test_sparse_data_are_refused(kind, settings):
    y = species if kind is TabularMLPRegressor else names
    with pytest.raises(TypeError, match=r"Sparse data was passed.*X\.toarray\(\)"):
        make(kind, **settings).fit(sparse.csr_array(X), y)
    model = make(kind, 1, **settings).fit(X, y)
    with pytest.raises(TypeError, match=r"Sparse data was passed.*X\.toarray\(\)"):
        model.predict(sparse.csr_array(X))


def test_validation_data_have_no_other_classes():
    with pytest.raises(ValueError, match=r"X_val, y_val or .* has classes not in"):
        classifier().fit(X[:100], names[:100], X_val=X, y_val=names)


def test_explanations_are_on_the_columns_of_the_frame_and_add_up():
    pytest.importorskip("shap")
    from sknn.explain import explain

    table, y = frame[["size", "word", "flag"]], labels
    model = classifier(2).fit(table, y)
    for one in (model, model.estimators_[0]):
        found = explain(one, table[:2], background=table[10:14], random_state=0)
        assert list(found.feature_names) == ["size", "word", "flag"]
        total = found.values.sum(axis=1) + found.base_values
        expected = one.decision_function(table[:2])
        np.testing.assert_allclose(total, expected, atol=1e-8)


def test_huge_targets_are_scored_without_overflow():
    y = 1e300 * (X[:, 0] + np.linspace(0, 1, 150))
    model = regressor(2, max_iter=10).fit(X, y)
    small = regressor(2, max_iter=10).fit(X, y / 2.0**900)
    assert np.isfinite(model.oob_score_)
    assert model.oob_score_ == pytest.approx(small.oob_score_, abs=1e-6)
