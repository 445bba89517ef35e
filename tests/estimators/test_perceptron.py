"""What PerceptronClassifier does with data, parameters and trouble."""

import copy
import sys
import warnings
from pathlib import Path

import joblib
import numpy as np
import pytest
import sklearn
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from sklearn.datasets import make_classification
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import StratifiedShuffleSplit, cross_validate
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import sknn
from sknn import PerceptronClassifier
from sknn.estimators._sklearn import SUPPORTS_CALLBACKS

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, Y = make_classification(
    120, 6, n_informative=4, n_classes=3, n_clusters_per_class=1, random_state=0
)
BINARY = (Y == 1).astype(int)
SHORT = {"max_iter": 4, "tol": None}

needs_callbacks = pytest.mark.skipif(
    not SUPPORTS_CALLBACKS, reason="sklearn.callback is new in scikit-learn 1.9"
)


def fitted(model):
    """Return the learned attributes of a model in copies."""
    return copy.deepcopy(
        {k: v for k, v in vars(model).items() if k not in model.get_params()}
    )


def assert_same_state(first, second):
    assert first.keys() == second.keys()
    for name, value in first.items():
        np.testing.assert_equal(second[name], value, err_msg=name)


# Learning -------------------------------------------------------------------------


def test_mistakes_are_summed_over_the_problems():
    model = PerceptronClassifier(shuffle=False, **SHORT).fit(X, Y)
    each = [
        PerceptronClassifier(shuffle=False, **SHORT).fit(X, k == Y).mistakes_curve_
        for k in range(3)
    ]
    assert model.mistakes_curve_ == np.sum(each, axis=0).tolist()
    ovr = OneVsRestClassifier(PerceptronClassifier(shuffle=False, **SHORT)).fit(X, Y)
    for k in range(3):
        np.testing.assert_array_equal(ovr.estimators_[k].coef_[0], model.coef_[k])


def test_samples_without_weight_are_no_mistakes_and_keep_nobody_from_converging():
    x = np.vstack([X, X[:5]])
    y = np.r_[X[:, 0] > 0, X[:5, 0] <= 0]
    x[:, 0] += np.where(y, 1, -1)
    w = np.r_[np.ones(len(X)), np.zeros(5)]
    model = PerceptronClassifier(max_iter=200, tol=None).fit(x, y, sample_weight=w)
    assert model.converged_
    assert model.mistakes_curve_[-1] == 0
    assert model.score(x, y, sample_weight=w) == 1.0


def test_partial_fit_goes_on_and_counts_on():
    whole = PerceptronClassifier(shuffle=False, tol=None, max_iter=1).fit(X, Y)
    parts = PerceptronClassifier(shuffle=False)
    for rows in np.array_split(np.arange(len(Y)), 5):
        parts.partial_fit(X[rows], Y[rows], classes=[0, 1, 2])
    np.testing.assert_array_equal(parts.coef_, whole.coef_)
    np.testing.assert_array_equal(parts.intercept_, whole.intercept_)
    assert parts.t_ == whole.t_ == 1.0 + len(Y)
    assert len(parts.mistakes_curve_) == 5
    assert sum(parts.mistakes_curve_) == whole.mistakes_curve_[0]
    assert parts.n_iter_ == 1


@pytest.mark.parametrize("average", [True, 50])
def test_the_average_goes_on_over_calls_of_partial_fit(average):
    params = {"shuffle": False, "average": average}
    whole = PerceptronClassifier(tol=None, max_iter=1, **params).fit(X, Y)
    parts = PerceptronClassifier(**params)
    for rows in np.array_split(np.arange(len(Y)), 5):
        parts.partial_fit(X[rows], Y[rows], classes=[0, 1, 2])
    np.testing.assert_allclose(parts.coef_, whole.coef_, rtol=1e-12)
    np.testing.assert_allclose(parts.intercept_, whole.intercept_, rtol=1e-12)
    plain = PerceptronClassifier(shuffle=False, tol=None, max_iter=1).fit(X, Y)
    assert not np.allclose(plain.coef_, whole.coef_)


def test_the_average_of_settled_weights_comes_to_them():
    x = X + 3 * np.outer(2 * BINARY - 1, np.ones(6))
    params = {"max_iter": 3000, "tol": None}
    mean = PerceptronClassifier(average=True, **params).fit(x, BINARY)
    last = PerceptronClassifier(**params).fit(x, BINARY)
    np.testing.assert_allclose(mean.coef_, last.coef_, atol=1e-2)


def test_training_goes_on_from_the_last_weights_and_not_from_the_pocket():
    pocket = PerceptronClassifier(pocket=True, shuffle=False)
    plain = PerceptronClassifier(shuffle=False)
    for _ in range(4):
        for model in (pocket, plain):
            model.partial_fit(X, BINARY, classes=[0, 1])
        assert pocket.score(X, BINARY) >= plain.score(X, BINARY)
    assert pocket.mistakes_curve_ == plain.mistakes_curve_


def test_the_pocket_counts_weights_of_samples_and_classes():
    w = np.where(BINARY == 1, 50.0, 0.02)
    by_samples = PerceptronClassifier(pocket=True, **SHORT).fit(
        X, BINARY, sample_weight=w
    )
    by_classes = PerceptronClassifier(
        pocket=True, class_weight={0: 0.02, 1: 50.0}, **SHORT
    ).fit(X, BINARY)
    np.testing.assert_array_equal(by_samples.coef_, by_classes.coef_)
    assert (by_samples.predict(X)[BINARY == 1] == 1).all()


def test_two_classes_are_one_problem_for_the_joint_rule_too():
    joint = PerceptronClassifier(multi_class="joint", **SHORT).fit(X, BINARY)
    ovr = PerceptronClassifier(**SHORT).fit(X, BINARY)
    np.testing.assert_array_equal(joint.coef_, ovr.coef_)


def test_a_seed_decides_the_orders():
    def coef(random_state, **params):
        params = {**SHORT, "random_state": random_state, **params}
        return PerceptronClassifier(**params).fit(X, Y).coef_

    np.testing.assert_array_equal(coef(1), coef(1))
    assert not np.array_equal(coef(1), coef(2))
    assert not np.array_equal(coef(1), coef(1, shuffle=False))
    instance = np.random.RandomState(1)
    np.testing.assert_array_equal(coef(instance), coef(1))
    assert not np.array_equal(coef(instance), coef(1))


def test_the_number_of_jobs_changes_nothing():
    one, two = (PerceptronClassifier(n_jobs=n, **SHORT).fit(X, Y) for n in (1, 2))
    np.testing.assert_array_equal(one.coef_, two.coef_)


def test_without_an_intercept_there_is_none():
    model = PerceptronClassifier(fit_intercept=False, **SHORT).fit(X, Y)
    np.testing.assert_array_equal(model.intercept_, 0.0)


def test_early_stopping_trains_on_what_it_does_not_hold_out():
    params = {"early_stopping": True, "validation_fraction": 0.25, "random_state": 3}
    model = PerceptronClassifier(shuffle=False, max_iter=2, tol=None, **params)
    model.fit(X, Y)
    split = StratifiedShuffleSplit(test_size=0.25, random_state=3)
    train = np.sort(next(split.split(X, Y))[0])
    alone = PerceptronClassifier(shuffle=False, max_iter=2, tol=None)
    alone.fit(X[train], Y[train])
    np.testing.assert_array_equal(model.coef_, alone.coef_)


def test_early_stopping_holds_out_plainly_where_a_class_has_one_member():
    y = np.where(np.arange(len(X)) == 7, "rare", BINARY.astype(str))
    model = PerceptronClassifier(early_stopping=True, max_iter=3).fit(X, y)
    assert model.classes_.tolist() == ["0", "1", "rare"]
    with pytest.raises(ValueError, match=r"validation_fraction=0\.9 holds out 3"):
        PerceptronClassifier(early_stopping=True, validation_fraction=0.9).fit(
            X[:3], [0, 1, 0]
        )


def test_a_line_is_printed_for_each_epoch_if_asked(capsys):
    PerceptronClassifier(verbose=1, early_stopping=True, **SHORT).fit(X, Y)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(",")[0] for line in lines] == [f"Epoch {i}" for i in range(1, 5)]
    assert all("mistakes" in line and "validation score" in line for line in lines)
    PerceptronClassifier(**SHORT).fit(X, Y)
    assert capsys.readouterr().out == ""


# Data -----------------------------------------------------------------------------


@pytest.mark.parametrize("penalty", [None, "l2"])
@pytest.mark.parametrize(
    "make", [sparse.csr_array, sparse.csc_matrix, sparse.coo_array]
)
def test_sparse_formats_give_the_weights_of_plain_arrays(make, penalty):
    x = X * (np.abs(X) > 0.5)
    params = {"fit_intercept": False, "penalty": penalty, **SHORT}
    plain = PerceptronClassifier(**params).fit(x, Y)
    model = PerceptronClassifier(**params).fit(make(x), Y)
    np.testing.assert_allclose(model.coef_, plain.coef_, rtol=1e-9)
    np.testing.assert_array_equal(model.predict(make(x)), plain.predict(x))


def test_entries_that_come_twice_are_added_and_the_input_stays_as_it_was():
    indptr, indices = np.array([0, 3, 4]), np.array([2, 0, 2, 1])
    values = np.array([1.0, 2.0, 3.0, -1.0])
    x = sparse.csr_array((values, indices, indptr), shape=(2, 3))
    model = PerceptronClassifier(**SHORT).fit(x, [0, 1])
    assert x.nnz == 4
    np.testing.assert_array_equal(x.data, [1.0, 2.0, 3.0, -1.0])
    plain = sparse.csr_array(x.toarray())
    again = PerceptronClassifier(**SHORT).fit(plain, [0, 1])
    np.testing.assert_array_equal(model.coef_, again.coef_)


def test_nothing_that_is_given_is_changed():
    rng = np.random.RandomState(0)
    given_arrays = {
        "X": X.copy(),
        "y": Y.copy(),
        "coef_init": rng.randn(3, 6),
        "intercept_init": rng.randn(3),
        "sample_weight": rng.rand(len(Y)),
    }
    before = copy.deepcopy(given_arrays)
    for array in given_arrays.values():
        array.flags.writeable = False
    for x in (given_arrays["X"], sparse.csr_matrix(given_arrays["X"])):
        for penalty in (None, "elasticnet"):
            model = PerceptronClassifier(penalty=penalty, **SHORT)
            params = model.get_params()
            model.fit(**{**given_arrays, "X": x})
            assert model.get_params() == params
    np.testing.assert_equal(given_arrays, before)


def test_float32_is_kept():
    model = PerceptronClassifier(**SHORT).fit(X.astype(np.float32), Y)
    assert model.coef_.dtype == model.intercept_.dtype == np.float32
    model.partial_fit(X, Y)
    assert model.coef_.dtype == np.float32


@given(
    n=st.integers(2, 30),
    n_features=st.integers(1, 4),
    n_classes=st.integers(2, 4),
    dtype=st.sampled_from(["float64", "float32", "int32", "int8", "bool"]),
    params=st.sampled_from(
        [
            {},
            {"penalty": "l2"},
            {"penalty": "l1", "average": True},
            {"pocket": True},
            {"multi_class": "joint"},
            {"penalty": "elasticnet", "multi_class": "joint", "pocket": True},
        ]
    ),
    seed=st.integers(0, 1000),
)
def test_property_any_table_with_two_classes_is_fitted(
    n, n_features, n_classes, dtype, params, seed
):
    rng = np.random.RandomState(seed)
    x = (3 * rng.randn(n, n_features)).astype(dtype)
    y = np.r_[0, 1, rng.randint(n_classes, size=n - 2)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = PerceptronClassifier(max_iter=3, **params).fit(x, y)
        k = len(np.unique(y))
        assert model.coef_.shape == (1 if k == 2 else k, n_features)
        assert np.isfinite(model.coef_).all()
        assert set(model.predict(x)) <= set(y)
        assert model.n_iter_ == len(model.mistakes_curve_) <= 3


# Trouble --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda m: m.fit(X, Y, coef_init=np.zeros((3, 5))), r"\(3, 6\).*\(3, 5\)"),
        (lambda m: m.fit(X, Y, intercept_init=[0.0]), "intercept_init must have"),
        (lambda m: m.fit(X, BINARY, coef_init=np.full(6, np.nan)), "coef_init.*NaN"),
        (lambda m: m.fit(X, Y, sample_weight=np.zeros(len(Y))), "non-zero"),
        (lambda m: m.fit(X, Y, sample_weight=[1.0, 2.0]), "sample_weight"),
        (lambda m: m.partial_fit(X, Y, classes=[0, 1]), "not among classes: .2"),
        (lambda m: m.partial_fit(X, Y, classes=[1]), "got 1 class"),
        (
            lambda m: m.partial_fit(X, Y, classes=[0, 1, 2]).partial_fit(
                X, Y, classes=[0, 1, 3]
            ),
            "not the same as on last call",
        ),
        (
            lambda m: m.partial_fit(X, Y, classes=[0, 1, 2]).partial_fit(X[:, :2], Y),
            "X has 2 features",
        ),
        (
            lambda m: m.set_params(class_weight={0: -1.0}).fit(X, Y),
            "class_weight must not be negative",
        ),
        (lambda m: m.fit(X * 1e300, Y * 1, sample_weight=1e10), "overflow occurred"),
    ],
)
def test_bad_input_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call(PerceptronClassifier())


class InjectedError(Exception):
    """An error at a random place."""


def raise_at(event, error):
    """Return a tracer that raises at this line of the package."""
    home = str(Path(sknn.__file__).parent)
    count = [0]

    def trace(frame, kind, _):
        if not frame.f_code.co_filename.startswith(home):
            return None
        if kind == "line":
            count[0] += 1
            if count[0] == event:
                raise error
        return trace

    return trace, count


def lines_of(call):
    """Return the number of lines of the package that a call runs."""
    trace, count = raise_at(-1, None)
    sys.settrace(trace)
    try:
        call()
    finally:
        sys.settrace(None)
    return count[0]


@pytest.mark.parametrize("error", [InjectedError, KeyboardInterrupt])
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_an_error_anywhere_leaves_the_earlier_model_or_a_whole_one(method, error):
    params = {"max_iter": 3, "tol": None, "average": True}
    earlier = PerceptronClassifier(**params).fit(X[:40], Y[:40])
    state, arrays = fitted(earlier), [earlier.coef_, earlier.intercept_]

    def call(model):
        return getattr(model, method)(X[:50], Y[:50])

    whole = [
        fitted(call(copy.deepcopy(earlier).set_params(max_iter=n))) for n in (1, 2)
    ]
    total = lines_of(lambda: call(copy.deepcopy(earlier)))
    rng = np.random.RandomState(0)
    for event in rng.randint(1, total, size=200):
        model = copy.copy(earlier)
        trace, _ = raise_at(event, error())
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            sys.settrace(trace)
            try:
                call(model)
                sys.settrace(None)
                # Ctrl-C within a later epoch keeps the ones before it.
                assert error is KeyboardInterrupt
                if method == "partial_fit":
                    assert model.n_iter_ == 1
                elif model.n_iter_ < 3:
                    assert_same_state(whole[model.n_iter_ - 1], fitted(model))
            except (error, AttributeError) as raised:
                sys.settrace(None)
                # an error in the check whether partial_fit exists hides the method
                assert isinstance(raised, error) or "no attribute" in str(raised)
                if vars(model).keys() == vars(earlier).keys() and np.array_equal(
                    model.coef_, state["coef_"]
                ):
                    assert_same_state(state, fitted(model))
                else:  # it was published already
                    assert model.n_iter_ == (3 if method == "fit" else 1)
            finally:
                sys.settrace(None)
    for array, name in zip(arrays, ("coef_", "intercept_"), strict=True):
        np.testing.assert_array_equal(array, state[name])


def test_going_on_changes_no_array_of_the_model_before(tmp_path):
    for params in ({}, {"average": True}, {"pocket": True}):
        model = PerceptronClassifier(**params).partial_fit(X, Y, classes=[0, 1, 2])
        joblib.dump(model, tmp_path / "model")
        mapped = joblib.load(tmp_path / "model", mmap_mode="r")  # read-only arrays
        before, arrays = fitted(mapped), vars(mapped).copy()
        mapped.partial_fit(X, Y)
        model.partial_fit(X, Y)
        np.testing.assert_array_equal(mapped.coef_, model.coef_)
        for name, value in before.items():
            np.testing.assert_equal(arrays[name], value)


def test_weights_that_were_made_sparse_can_be_trained_on():
    dense, thin = (PerceptronClassifier(**SHORT).fit(X, Y) for _ in range(2))
    thin.sparsify()
    for model in (dense, thin):
        model.partial_fit(X, Y)
    np.testing.assert_array_equal(thin.coef_, dense.coef_)


# Surroundings ---------------------------------------------------------------------


def test_metadata_is_routed_to_fit_and_score():
    w = np.random.RandomState(0).rand(len(Y))
    with sklearn.config_context(enable_metadata_routing=True):
        model = PerceptronClassifier(shuffle=False, **SHORT)
        model.set_fit_request(sample_weight=True, coef_init=False)
        model.set_score_request(sample_weight=True)
        scaler = StandardScaler().set_fit_request(sample_weight=False)
        pipeline = make_pipeline(scaler, model)
        pipeline.fit(X, Y, sample_weight=w)
        result = cross_validate(model, X, Y, cv=2, params={"sample_weight": w})
    alone = PerceptronClassifier(shuffle=False, **SHORT)
    alone.fit(StandardScaler().fit_transform(X), Y, sample_weight=w)
    np.testing.assert_array_equal(pipeline[-1].coef_, alone.coef_)
    assert np.isfinite(result["test_score"]).all()
    requests = model.get_metadata_routing().partial_fit.requests
    assert set(requests) == {"classes", "sample_weight"}


@needs_callbacks
def test_callbacks_see_each_epoch_and_may_stop():
    class Recorder:
        def __init__(self):
            self.scores = []

        def setup(self, estimator, context):
            pass

        def teardown(self, estimator, context):
            pass

        def on_fit_task_begin(self, estimator, context):
            pass

        def on_fit_task_end(self, estimator, context, *, X, y, fitted_estimator):
            if context.task_name == "epoch":
                self.scores.append(fitted_estimator.score(X, y))
            return len(self.scores) == 3

    recorder = Recorder()
    model = PerceptronClassifier(shuffle=False, average=True).set_callbacks(recorder)
    model.fit(X, Y)
    assert model.n_iter_ == 3
    expected = [
        PerceptronClassifier(shuffle=False, average=True, max_iter=n, tol=None)
        .fit(X, Y)
        .score(X, Y)
        for n in (1, 2, 3)
    ]
    assert recorder.scores == expected
    assert not hasattr(model, "_callback_fit_ctx")


def test_the_docstring_describes_every_parameter():
    doc = PerceptronClassifier.__doc__
    for name in PerceptronClassifier().get_params():
        assert f"\n{name} : " in doc
