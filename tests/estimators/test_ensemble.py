"""Ensembles: members that equal single fits, averages, samples left out."""

import pickle

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.datasets import load_diabetes, load_iris, make_multilabel_classification
from sklearn.metrics import accuracy_score, r2_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import sknn.estimators._together as together
from sknn import (
    MLPClassifier,
    MLPEnsembleClassifier,
    MLPEnsembleRegressor,
    MLPEstimator,
    MLPRegressor,
)
from sknn.estimators._resampling import resample

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore:.* left out by no member"),
]


@pytest.fixture(scope="module")
def iris():
    X, y = load_iris(return_X_y=True)
    return StandardScaler().fit_transform(X), np.array(["a", "b", "c"])[y]


@pytest.fixture(scope="module")
def diabetes():
    return load_diabetes(return_X_y=True)


def net(**options):
    return MLPClassifier((6,), **{"max_iter": 12, "learning_rate_init": 0.02} | options)


def regressor(**options):
    options = {"max_iter": 8, "learning_rate_init": 0.02} | options
    return MLPRegressor(hidden_layer_sizes=(6,), **options)


def arrays(model):
    return [*model.coefs_, *model.intercepts_]


def assert_members_equal_single_fits(ensemble, X, y, w=None, exactly=True, **given):
    for member, rows in zip(
        ensemble.estimators_, ensemble.estimators_samples_, strict=True
    ):
        own = {"sample_weight": None if w is None else w[rows]} | given
        single = clone(member).fit(X[rows], y[rows], **own)
        assert single.n_iter_ == member.n_iter_
        for ours, theirs in zip(arrays(member), arrays(single), strict=True):
            if exactly:
                np.testing.assert_array_equal(ours, theirs)
            else:
                np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-10)
        assert member.history_["loss"] == pytest.approx(single.history_["loss"])


SETTINGS = {
    "plain": {},
    "early stopping": {"early_stopping": True, "n_iter_no_change": 2},
    "dropout and batch norm": {"dropout": 0.3, "normalization": "batch"},
    "adaptive rate": {
        "solver": "sgd",
        "learning_rate": "adaptive",
        "tol": 0.05,
        "n_iter_no_change": 1,
    },
    "cosine": {"learning_rate": "cosine", "batch_size": 16},
    "average": {"average": "ema"},
    "class weight": {"class_weight": "balanced"},
    "scorer": {"early_stopping": True, "scoring": "neg_log_loss"},
    "rescue": {
        "solver": "sgd",
        "learning_rate_init": 1e3,
        "on_divergence": "rescue",
        "activation": "identity",
    },
    "lbfgs": {"solver": "lbfgs"},
    "float32": {"dtype": "float32"},
}


@pytest.mark.parametrize("resampling", [None, "folds", "bootstrap"])
@pytest.mark.parametrize("setting", SETTINGS)
def test_members_equal_single_fits_to_the_bit(iris, setting, resampling):
    X, y = iris
    base = net(**SETTINGS[setting])
    ensemble = MLPEnsembleClassifier(base, 3, resampling=resampling, random_state=0)
    assert_members_equal_single_fits(ensemble.fit(X, y), X, y)


def test_members_are_trained_as_one_stack(iris, monkeypatch):
    sizes = []

    def watched(members, plan):
        sizes.append(len(members))
        return original(members, plan)

    original = together.train_stack
    monkeypatch.setattr(together, "train_stack", watched)
    MLPEnsembleClassifier(net(), 4, resampling="folds", random_state=0).fit(*iris)
    assert sizes == [4]
    sizes.clear()
    MLPEnsembleClassifier(net(solver="lbfgs"), 4, random_state=0).fit(*iris)
    assert sizes == []


def test_large_networks_are_trained_one_after_another(iris, monkeypatch):
    monkeypatch.setattr(together, "_CACHE_BYTES", 1)
    monkeypatch.setattr(together, "train_stack", None)
    X, y = iris
    ensemble = MLPEnsembleClassifier(net(), 3, resampling="folds", random_state=0)
    assert_members_equal_single_fits(ensemble.fit(X, y), X, y)


def test_uneven_folds_equal_single_fits(iris):
    X, y = iris[0][:-2], iris[1][:-2]
    for base in (net(), net(batch_size=29, dropout=0.2), net(early_stopping=True)):
        ensemble = MLPEnsembleClassifier(base, 4, resampling="folds", random_state=0)
        ensemble.fit(X, y)
        lengths = set(map(len, ensemble.estimators_samples_))
        assert len(lengths) == 1 or base.early_stopping or lengths == {111}
        assert_members_equal_single_fits(ensemble, X, y, exactly=False)
    ensemble = MLPEnsembleClassifier(net(), 3, resampling="folds", random_state=0)
    ensemble.fit(X, y)
    assert sorted(map(len, ensemble.estimators_samples_)) == [98, 99, 99]
    assert_members_equal_single_fits(ensemble, X, y, exactly=False)


@pytest.mark.parametrize("resampling", [None, "folds", "bootstrap"])
def test_regressors_equal_single_fits(diabetes, resampling):
    X, y = diabetes
    w = np.random.RandomState(0).rand(len(y))
    for base in (regressor(normalize_y=True), regressor(loss="huber")):
        ensemble = MLPEnsembleRegressor(base, 3, resampling=resampling, random_state=0)
        ensemble.fit(X, y, w)
        exactly = resampling != "folds"
        assert_members_equal_single_fits(ensemble, X, y, w, exactly=exactly)


def test_predictions_are_averages(iris, diabetes):
    X, y = iris
    ensemble = MLPEnsembleClassifier(net(), 3, random_state=0).fit(X, y)
    mean = np.mean([member.predict_proba(X) for member in ensemble.estimators_], axis=0)
    np.testing.assert_allclose(ensemble.predict_proba(X), mean, rtol=1e-14)
    np.testing.assert_array_equal(
        ensemble.predict(X), ensemble.classes_[mean.argmax(axis=1)]
    )
    np.testing.assert_allclose(ensemble.predict_log_proba(X), np.log(mean), rtol=1e-14)
    X, y = diabetes
    ensemble = MLPEnsembleRegressor(regressor(), 3, random_state=0).fit(X, y)
    each = [member.predict(X) for member in ensemble.estimators_]
    np.testing.assert_allclose(ensemble.predict(X), np.mean(each, axis=0), rtol=1e-14)
    mean, std = ensemble.predict(X, return_std=True)
    np.testing.assert_allclose(mean, np.mean(each, axis=0), rtol=1e-14)
    np.testing.assert_allclose(std, np.std(each, axis=0), rtol=1e-10)


def test_standard_deviations_are_those_of_the_mixture(diabetes):
    X, y = diabetes
    base = regressor(loss="gaussian_nll", normalize_y=True)
    ensemble = MLPEnsembleRegressor(base, 3, random_state=0).fit(X, y)
    pairs = [m.predict(X, return_std=True) for m in ensemble.estimators_]
    means, stds = np.array(pairs).swapaxes(0, 1)
    variance = (stds**2 + means**2).mean(axis=0) - means.mean(axis=0) ** 2
    np.testing.assert_allclose(
        ensemble.predict(X, return_std=True)[1], np.sqrt(variance), rtol=1e-8
    )


def test_out_of_fold_predictions_come_from_the_member_that_did_not_see_the_sample(iris):
    X, y = iris
    ensemble = MLPEnsembleClassifier(net(), 5, resampling="folds", random_state=0)
    ensemble.fit(X, y)
    expected = np.full((len(y), 3), np.nan)
    for member, rows in zip(
        ensemble.estimators_, ensemble.estimators_samples_, strict=True
    ):
        left_out = np.setdiff1d(np.arange(len(y)), rows)
        assert len(left_out) == 30
        assert np.unique(y[left_out], return_counts=True)[1].tolist() == [10, 10, 10]
        expected[left_out] = member.predict_proba(X[left_out])
    np.testing.assert_allclose(ensemble.oob_prediction_, expected, rtol=1e-12)
    labels = ensemble.classes_[expected.argmax(axis=1)]
    assert ensemble.oob_score_ == accuracy_score(y, labels)


def test_out_of_bag_predictions_are_averages_of_those_that_did_not_see_the_sample(
    diabetes,
):
    X, y = diabetes
    base = regressor(normalize_y=True)
    ensemble = MLPEnsembleRegressor(base, 20, resampling="bootstrap", random_state=0)
    ensemble.fit(X, y)
    each = np.array([member.predict(X) for member in ensemble.estimators_])
    seen = np.array([np.isin(range(len(y)), r) for r in ensemble.estimators_samples_])
    expected = np.ma.masked_array(each, seen).mean(axis=0)
    np.testing.assert_allclose(ensemble.oob_prediction_, expected, rtol=1e-10)
    assert ensemble.oob_score_ == pytest.approx(r2_score(y, expected))


def test_samples_that_every_member_has_seen_are_named(iris):
    X, y = iris
    ensemble = MLPEnsembleClassifier(net(), 2, resampling="bootstrap", random_state=0)
    with pytest.warns(UserWarning, match=r"\d+ samples were left out by no member"):
        ensemble.fit(X, y)
    missing = np.isnan(ensemble.oob_prediction_).all(axis=1)
    assert 0 < missing.sum() < len(y)
    found = ensemble.classes_[ensemble.oob_prediction_[~missing].argmax(axis=1)]
    assert ensemble.oob_score_ == accuracy_score(y[~missing], found)


def test_without_resampling_nothing_is_left_out(iris):
    ensemble = MLPEnsembleClassifier(net(), 2, random_state=0).fit(*iris)
    assert not hasattr(ensemble, "oob_score_")
    assert not hasattr(ensemble, "oob_prediction_")
    assert [len(rows) for rows in ensemble.estimators_samples_] == [150, 150]


def test_a_class_that_a_member_never_sees_keeps_its_column():
    rng = np.random.RandomState(0)
    X, y = rng.normal(size=(40, 3)), np.repeat([0, 1, 2], [20, 19, 1])
    ensemble = MLPEnsembleClassifier(net(), 4, resampling="folds", random_state=0)
    ensemble.fit(X, y)
    for member in ensemble.estimators_:
        assert member.classes_.tolist() == [0, 1, 2]
    assert ensemble.predict_proba(X).shape == (40, 3)


def test_groups_are_left_out_and_drawn_as_a_whole(iris):
    X, y = iris
    groups = np.random.RandomState(0).randint(12, size=len(y))
    for resampling in ("folds", "bootstrap"):
        ensemble = MLPEnsembleClassifier(net(), 4, resampling=resampling)
        ensemble.set_params(random_state=0, estimator=net(early_stopping=True))
        ensemble.fit(X, y, groups=groups)
        for member, rows in zip(
            ensemble.estimators_, ensemble.estimators_samples_, strict=True
        ):
            left_out = np.setdiff1d(np.arange(len(y)), rows)
            assert not np.isin(groups[left_out], groups[rows]).any()
            held = rows[member._state.validation_rows]
            trained = rows[member._state.train_rows]
            assert not np.isin(groups[held], groups[trained]).any()


def test_validation_data_is_given_to_every_member(iris):
    X, y = iris
    ensemble = MLPEnsembleClassifier(net(early_stopping=True), 2, random_state=0)
    ensemble.fit(X[::2], y[::2], X_val=X[1::2], y_val=y[1::2])
    for member in ensemble.estimators_:
        assert len(member.history_["validation_loss"]) == member.n_iter_
        assert member._state.validation_rows is None


def test_multilabel_targets():
    X, y = make_multilabel_classification(60, 5, n_classes=3, random_state=0)
    ensemble = MLPEnsembleClassifier(net(), 3, resampling="folds", random_state=0)
    ensemble.fit(X, y)
    proba = ensemble.predict_proba(X)
    np.testing.assert_array_equal(ensemble.predict(X), (proba > 0.5).astype(int))
    assert ensemble.oob_prediction_.shape == y.shape


def test_several_outputs(diabetes):
    X, y = diabetes
    Y = np.column_stack([y, -y])
    base = regressor(normalize_y=True)
    ensemble = MLPEnsembleRegressor(base, 3, resampling="folds", random_state=0)
    ensemble.fit(X, Y)
    assert ensemble.predict(X).shape == ensemble.oob_prediction_.shape == Y.shape


def test_sparse_input_equals_dense(iris):
    X, y = iris
    dense = MLPEnsembleClassifier(net(), 2, resampling="folds", random_state=0)
    other = clone(dense).fit(sparse.csr_array(X), y)
    dense.fit(X, y)
    np.testing.assert_allclose(
        other.predict_proba(sparse.csc_matrix(X)), dense.predict_proba(X), rtol=1e-9
    )


def test_frames_keep_their_names_in_all_members(iris):
    X, y = iris
    frame = pd.DataFrame(X, columns=list("abcd"))
    ensemble = MLPEnsembleClassifier(net(), 2, resampling="folds", random_state=0)
    ensemble.fit(frame, y)
    assert ensemble.feature_names_in_.tolist() == list("abcd")
    members = [member.predict_proba(frame) for member in ensemble.estimators_]
    np.testing.assert_allclose(ensemble.predict_proba(frame), np.mean(members, axis=0))
    with pytest.raises(ValueError, match="feature names"):
        ensemble.predict(frame[["b", "a", "c", "d"]])


def test_members_encode_columns_by_their_own_samples():
    rng = np.random.RandomState(0)
    X = pd.DataFrame(
        {
            "number": np.where(rng.rand(60) < 0.2, np.nan, rng.normal(size=60)),
            "letter": pd.Categorical(rng.choice(list("xyz"), 60)),
        }
    )
    y = rng.randint(2, size=60)
    base = net(categorical_features="from_dtype", missing="indicator")
    ensemble = MLPEnsembleClassifier(base, 3, resampling="folds", random_state=0)
    ensemble.fit(X, y)
    for member, rows in zip(
        ensemble.estimators_, ensemble.estimators_samples_, strict=True
    ):
        single = clone(member).fit(X.iloc[rows], y[rows])
        np.testing.assert_allclose(single.predict_proba(X), member.predict_proba(X))
    assert ensemble.oob_prediction_.shape == (60, 2)


def test_a_search_reaches_into_the_members(iris):
    X, y = iris
    pipeline = make_pipeline(StandardScaler(), MLPEnsembleClassifier(net(), 2))
    name = "mlpensembleclassifier__"
    grid = {f"{name}estimator__alpha": [1e-4, 1.0], f"{name}n_estimators": [1, 2]}
    search = GridSearchCV(pipeline, grid, cv=2).fit(X, y)
    assert len(search.cv_results_["params"]) == 4


def test_the_same_random_state_gives_the_same_ensemble(iris):
    X, y = iris
    for resampling in (None, "folds", "bootstrap"):
        one, other = (
            MLPEnsembleClassifier(net(), 2, resampling=resampling, random_state=3)
            .fit(X, y)
            .predict_proba(X)
            for _ in range(2)
        )
        np.testing.assert_array_equal(one, other)
    members = MLPEnsembleClassifier(net(), 2, random_state=3).fit(X, y).estimators_
    assert not np.array_equal(members[0].coefs_[0], members[1].coefs_[0])


def test_a_pickled_ensemble_predicts_the_same_and_its_members_go_on(iris):
    X, y = iris
    ensemble = MLPEnsembleClassifier(net(), 3, random_state=0).fit(X, y)
    twin = pickle.loads(pickle.dumps(ensemble))
    np.testing.assert_array_equal(twin.predict_proba(X), ensemble.predict_proba(X))
    members = [e.estimators_[1].set_params(warm_start=True) for e in (twin, ensemble)]
    coefs = [member.fit(X, y).coefs_[0] for member in members]
    np.testing.assert_array_equal(*coefs)
    # a member alone does not carry the stack along
    assert len(pickle.dumps(members[0])) < 0.6 * len(pickle.dumps(ensemble))


def test_a_failed_fit_leaves_the_earlier_ensemble(iris):
    X, y = iris
    ensemble = MLPEnsembleClassifier(net(), 2, random_state=0).fit(X, y)
    before = ensemble.predict_proba(X)
    with pytest.raises(ValueError, match="NaN"):
        ensemble.fit(np.full_like(X, np.nan), y)
    np.testing.assert_array_equal(ensemble.predict_proba(X), before)

    def fails(epoch):
        raise RuntimeError("no more")

    ensemble.set_params(estimator=net(callbacks=fails))
    with pytest.raises(RuntimeError, match="no more"):
        ensemble.fit(X, y)
    np.testing.assert_array_equal(ensemble.predict_proba(X), before)


def interrupting(after):
    """Return a callback that acts like Ctrl-C after so many calls."""
    calls = []

    def interrupt(epoch):
        calls.append(epoch.number)
        if len(calls) == after:
            raise KeyboardInterrupt

    return interrupt


def test_an_interrupt_keeps_the_last_complete_epoch(iris):
    X, y = iris
    ensemble = MLPEnsembleClassifier(net(callbacks=interrupting(8)), 3, random_state=0)
    with pytest.warns(UserWarning, match="interrupted"):
        ensemble.fit(X, y)
    assert [member.n_iter_ for member in ensemble.estimators_] == [3, 3, 2]
    plain = MLPEnsembleClassifier(net(max_iter=2), 3, random_state=0).fit(X, y)
    last = [e.estimators_[2].predict_proba(X) for e in (ensemble, plain)]
    np.testing.assert_array_equal(*last)


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_an_interrupt_before_every_member_has_an_epoch_is_raised(iris, solver):
    base = net(callbacks=interrupting(2), solver=solver)
    ensemble = MLPEnsembleClassifier(base, 3, random_state=0)
    with pytest.raises(KeyboardInterrupt):
        ensemble.fit(*iris)
    assert not hasattr(ensemble, "estimators_")


def test_callbacks_are_told_by_every_member(iris):
    told = []
    base = net(callbacks=lambda epoch: told.append(epoch.number))
    MLPEnsembleClassifier(base, 3, random_state=0).fit(*iris)
    assert sorted(told) == sorted(3 * list(range(1, 13)))


def test_divergence_of_a_member_is_told(iris):
    X = iris[0]
    base = MLPRegressor(
        solver="sgd", activation="identity", learning_rate_init=1e3, max_iter=5
    )
    with pytest.raises(ValueError, match="diverged in epoch"):
        MLPEnsembleRegressor(base, 2, random_state=0).fit(X, X[:, 0])
    base.set_params(on_divergence="warn")
    ensemble = MLPEnsembleRegressor(base, 2, random_state=0).fit(X, X[:, 0])
    assert np.isfinite(ensemble.predict(X)).all()


def test_estimators_say_what_they_are(iris):
    assert is_classifier(MLPEnsembleClassifier())
    assert is_regressor(MLPEnsembleRegressor())
    base = MLPEstimator((5,), task="classification", max_iter=3)
    assert MLPEnsembleClassifier(base, 2).fit(*iris).predict(iris[0]).shape == (150,)
    base = MLPEstimator((5,), task="regression", max_iter=3)
    X, y = iris[0], iris[0][:, 0]
    assert MLPEnsembleRegressor(base, 2).fit(X, y).predict(X).shape == (150,)


@pytest.mark.parametrize(
    ("ensemble", "message"),
    [
        (MLPEnsembleClassifier(MLPRegressor()), "estimator must be an MLPClassifier"),
        (MLPEnsembleRegressor(MLPClassifier()), "estimator must be an MLPRegressor"),
        (MLPEnsembleClassifier(StandardScaler()), "'estimator' parameter"),
        (MLPEnsembleClassifier(n_estimators=0), "'n_estimators' parameter"),
        (MLPEnsembleClassifier(resampling="fold"), "'resampling' parameter"),
        (MLPEnsembleClassifier(random_state="x"), "'random_state' parameter"),
        (MLPEnsembleClassifier(net(alpha=-1)), "'alpha' parameter"),
        (MLPEnsembleClassifier(net(), 1, resampling="folds"), "between 2 and"),
        (MLPEnsembleClassifier(net(), 151, resampling="folds"), "n_estimators=151"),
    ],
)
def test_bad_parameters_are_named(iris, ensemble, message):
    with pytest.raises(ValueError, match=message):
        ensemble.fit(*iris)


def test_folds_are_as_even_as_can_be():
    rng = np.random.RandomState(0)
    strata = rng.choice(4, p=[0.6, 0.3, 0.08, 0.02], size=203)
    rows = resample("folds", 7, 203, rng, strata)
    left_out = [np.setdiff1d(np.arange(203), r) for r in rows]
    assert sorted(np.concatenate(left_out)) == list(range(203))
    assert set(map(len, left_out)) == {29}
    counts = np.array([np.bincount(strata[r], minlength=4) for r in left_out])
    assert (np.ptp(counts, axis=0) <= 1).all()
