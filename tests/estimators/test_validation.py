"""What early stopping holds out, watches and keeps, and what it refuses."""

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_iris
from sklearn.metrics import log_loss, make_scorer
from sklearn.model_selection import (
    GroupKFold,
    GroupShuffleSplit,
    KFold,
    LeaveOneGroupOut,
    PredefinedSplit,
    RepeatedKFold,
    ShuffleSplit,
    StratifiedGroupKFold,
    StratifiedKFold,
    StratifiedShuffleSplit,
    TimeSeriesSplit,
)
from sklearn.preprocessing import StandardScaler

from sknn import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
ORDER = np.random.RandomState(0).permutation(150)
X, y = (part[ORDER] for part in load_iris(return_X_y=True))
X = StandardScaler().fit_transform(X)
GROUPS = np.arange(150) // 5
FIRST_THIRTY = PredefinedSplit(np.where(np.arange(150) < 30, 0, -1))


def network(**parameters):
    defaults = {
        "hidden_layer_sizes": (6,),
        "early_stopping": True,
        "max_iter": 8,
        "learning_rate_init": 0.02,
        "random_state": 0,
    }
    return MLPClassifier(**{**defaults, **parameters})


def held_rows(model):
    return np.sort(model._state.validation_rows)


# What is held out -----------------------------------------------------------------


@pytest.mark.parametrize(("fraction", "size"), [(0.1, 15), (0.2, 30), (0.01, 2)])
def test_a_share_of_each_class_is_held_out(fraction, size):
    rows = held_rows(network(validation_fraction=fraction).fit(X, y))
    assert len(rows) == size
    if size > 2:
        assert np.bincount(y[rows]).tolist() == [size // 3] * 3


def test_samples_of_weight_zero_are_never_drawn():
    w = np.ones(150)
    w[:100] = 0.0
    for seed in range(5):
        model = network(max_iter=1, random_state=seed).fit(X, y, sample_weight=w)
        assert (held_rows(model) >= 100).all()
        assert len(held_rows(model)) == 5


@pytest.mark.parametrize(
    ("splitter", "rows"),
    [
        (FIRST_THIRTY, np.arange(30)),
        (KFold(5), np.arange(30)),
        (TimeSeriesSplit(5), np.arange(25, 50)),
        (LeaveOneGroupOut(), np.arange(5)),
    ],
)
def test_the_first_split_of_a_splitter_is_held_out(splitter, rows):
    groups = GROUPS if isinstance(splitter, LeaveOneGroupOut) else None
    model = network(validation_split=splitter).fit(X, y, groups=groups)
    np.testing.assert_array_equal(held_rows(model), rows)


def test_later_rows_than_those_of_the_split_are_not_trained_on():
    split = TimeSeriesSplit(5)
    short = network(validation_split=split).fit(X, y)
    spoilt = np.where(np.arange(150)[:, None] < 50, X, 1e3)
    same = network(validation_split=split).fit(spoilt, y)
    np.testing.assert_array_equal(short.coefs_[0], same.coefs_[0])


DRAWING = [
    ShuffleSplit(test_size=0.2),
    StratifiedShuffleSplit(test_size=0.2),
    KFold(5, shuffle=True),
    StratifiedKFold(5, shuffle=True),
    RepeatedKFold(n_splits=5),
    GroupShuffleSplit(test_size=0.2),
    StratifiedGroupKFold(5, shuffle=True),
]


@pytest.mark.parametrize("splitter", DRAWING, ids=lambda s: type(s).__name__)
def test_a_splitter_without_random_state_draws_from_the_networks(splitter):
    grouped = "Group" in type(splitter).__name__
    groups = GROUPS if grouped else None

    def fit(seed):
        model = network(validation_split=splitter, random_state=seed)
        return model.fit(X, y, groups=groups)

    first, again, other = fit(0), fit(0), fit(1)
    np.testing.assert_array_equal(held_rows(first), held_rows(again))
    np.testing.assert_array_equal(first.coefs_[0], again.coefs_[0])
    assert not np.array_equal(held_rows(first), held_rows(other))
    assert getattr(splitter, "random_state", None) is None


def test_a_splitter_with_a_random_state_keeps_to_it():
    split = ShuffleSplit(test_size=0.2, random_state=7)
    fits = [network(validation_split=split, random_state=s).fit(X, y) for s in (0, 1)]
    np.testing.assert_array_equal(held_rows(fits[0]), held_rows(fits[1]))
    expected = next(split.split(X))[1]
    np.testing.assert_array_equal(held_rows(fits[0]), np.sort(expected))


@pytest.mark.parametrize("names", [GROUPS, np.array([f"patient {g}" for g in GROUPS])])
@pytest.mark.parametrize("splitter", [None, GroupShuffleSplit(test_size=0.2)])
def test_groups_are_never_divided(names, splitter):
    fraction = 0.1 if splitter is None else 0.2
    model = network(validation_split=splitter).fit(X, y, groups=names)
    rows = held_rows(model)
    trained = np.setdiff1d(np.arange(150), rows)
    assert len(np.unique(GROUPS[rows])) == 30 * fraction
    assert not set(GROUPS[rows]) & set(GROUPS[trained])


def test_a_warm_start_keeps_the_rows_that_are_held_out():
    model = network(validation_split=ShuffleSplit(test_size=0.2), warm_start=True)
    before = held_rows(model.fit(X, y))
    np.testing.assert_array_equal(before, held_rows(model.fit(X, y)))


def test_without_early_stopping_nothing_is_held_out():
    model = network(early_stopping=False, validation_split=KFold(3)).fit(X, y)
    plain = network(early_stopping=False).fit(X, y)
    np.testing.assert_array_equal(model.coefs_[0], plain.coefs_[0])
    assert model.best_iter_ is None


# What is watched and kept ---------------------------------------------------------


def neg_log_loss(model, X, y):
    return -log_loss(y, model.predict_proba(X))


SCORERS = [None, "loss", neg_log_loss]


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.parametrize("scoring", SCORERS)
def test_the_weights_are_those_of_the_best_epoch(scoring, solver):
    """As many epochs as `best_iter_` give the same network."""
    given = {
        "scoring": scoring,
        "solver": solver,
        "learning_rate_init": 0.2,
        "n_iter_no_change": 5,
        "validation_split": ShuffleSplit(test_size=0.3),
    }
    model = network(max_iter=80, **given).fit(X, y)
    assert model.best_iter_ <= model.n_iter_ - 5
    scores = model.validation_scores_
    assert model.best_iter_ == 1 + int(np.argmax(scores))
    assert model.best_validation_score_ == max(scores)
    short = network(max_iter=model.best_iter_, **given).fit(X, y)
    assert short.n_iter_ == model.best_iter_
    np.testing.assert_array_equal(model.predict_proba(X), short.predict_proba(X))


def test_the_scores_are_those_of_the_held_rows():
    model = network(validation_split=FIRST_THIRTY, scoring=neg_log_loss).fit(X, y)
    held, trained = slice(0, 30), slice(30, 150)
    best = model.best_iter_ - 1
    history = {name: column[best] for name, column in model.history_.items()}
    assert history["validation_score"] == neg_log_loss(model, X[held], y[held])
    assert history["score"] == neg_log_loss(model, X[trained], y[trained])
    assert history["validation_loss"] == pytest.approx(-history["validation_score"])


def test_scorers_get_the_weights_of_the_held_rows():
    w = 1.0 + np.arange(150) % 3
    model = network(validation_split=FIRST_THIRTY, scoring="accuracy")
    model.fit(X, y, sample_weight=w)
    held = slice(0, 30)
    assert model.best_validation_score_ == pytest.approx(
        model.score(X[held], y[held], w[held]), rel=1e-9
    )


def test_patience_is_counted_from_the_last_improvement_by_tol():
    patient = network(max_iter=200, scoring="loss", n_iter_no_change=3, tol=0.01)
    scores = patient.fit(X, y).validation_scores_
    best, waited = -np.inf, 0
    for score in scores:
        waited = 0 if score >= best + 0.01 else waited + 1
        best = max(best, score)
    assert waited == 4  # 3 epochs are borne
    assert patient.n_iter_ == len(scores) < 200
    strict = network(max_iter=200, scoring="loss", n_iter_no_change=3, tol=0.1)
    assert strict.fit(X, y).n_iter_ < patient.n_iter_


def test_infinite_patience_runs_all_epochs_and_keeps_the_best():
    model = network(max_iter=30, learning_rate_init=0.3, n_iter_no_change=np.inf)
    model.fit(X, y)
    assert model.n_iter_ == 30
    assert model.best_iter_ == 1 + int(np.argmax(model.validation_scores_))


HISTORY = ["epoch", "loss", "validation_loss", "validation_score"]


@pytest.mark.parametrize(
    ("parameters", "names"),
    [
        ({}, [*HISTORY, "learning_rate", "time"]),
        ({"scoring": "accuracy"}, [*HISTORY, "score", "learning_rate", "time"]),
        ({"early_stopping": False}, ["epoch", "loss", "learning_rate", "time"]),
        ({"solver": "lbfgs"}, ["epoch", "loss", "time"]),
        ({"solver": "lbfgs", "validation_split": KFold(4)}, [*HISTORY, "time"]),
    ],
)
def test_history_holds_one_entry_of_each_name_per_epoch(parameters, names):
    model = network(**parameters).fit(X, y)
    assert set(model.history_) == set(names)
    assert {len(column) for column in model.history_.values()} == {model.n_iter_}
    assert model.history_["epoch"] == list(range(1, model.n_iter_ + 1))
    assert all(seconds > 0 for seconds in model.history_["time"])
    if "validation_split" not in parameters and "learning_rate" in names:
        assert set(model.history_["learning_rate"]) == {0.02}


# Validation data of one's own -----------------------------------------------------

HELD = {"X_val": X[:30], "y_val": y[:30]}


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_given_data_stop_as_the_same_rows_held_out(solver):
    own = network(solver=solver, alpha=0.0, shuffle=False, max_iter=30)
    split = network(**{**own.get_params(), "validation_split": FIRST_THIRTY})
    own.fit(X[30:], y[30:], **HELD)
    split.fit(X, y)
    np.testing.assert_array_equal(own.validation_scores_, split.validation_scores_)
    np.testing.assert_array_equal(own.coefs_[0], split.coefs_[0])
    assert own.best_iter_ == split.best_iter_


def test_given_data_are_scored_with_their_weights():
    w = 1.0 + np.arange(30) % 4
    model = network().fit(X[30:], y[30:], **HELD, sample_weight_val=w)
    assert model.best_validation_score_ == pytest.approx(
        model.score(X[:30], y[:30], w), rel=1e-9
    )
    best = model.history_["validation_loss"][model.best_iter_ - 1]
    p = model.predict_proba(X[:30])
    assert best == pytest.approx(log_loss(y[:30], p, sample_weight=w))


def test_given_data_are_only_recorded_without_early_stopping():
    model = network(early_stopping=False).fit(X[30:], y[30:], **HELD)
    plain = network(early_stopping=False).fit(X[30:], y[30:])
    np.testing.assert_array_equal(model.coefs_[0], plain.coefs_[0])
    assert len(model.history_["validation_loss"]) == model.n_iter_
    assert model.validation_scores_ is None


def test_given_data_take_the_place_of_splitter_and_groups():
    model = network(validation_split=GroupKFold(3))
    model.fit(X[30:], y[30:], groups=GROUPS[30:], **HELD)
    assert model._state.validation_rows is None


def test_numbers_are_validated_in_units_of_the_network():
    X, y = load_diabetes(return_X_y=True)
    model = MLPRegressor(normalize_y=True, early_stopping=True, max_iter=5)
    model.fit(X[:300], y[:300], X_val=X[300:], y_val=y[300:])
    best = model.history_["validation_loss"][model.best_iter_ - 1]
    errors = (model.predict(X[300:]) - y[300:]) / y[:300].std()
    assert best == pytest.approx(np.mean(errors**2) / 2)
    assert model.best_validation_score_ == pytest.approx(
        model.score(X[300:], y[300:]), rel=1e-9
    )


# What is refused ------------------------------------------------------------------


class Giving:
    """A splitter that gives one split, whatever the data."""

    def __init__(self, train, held):
        self.train, self.held = train, held

    def __repr__(self):
        return "Giving()"

    def split(self, X, y=None, groups=None):
        yield self.train, self.held


EVERYTHING, NOTHING = np.arange(150), []


@pytest.mark.parametrize(
    ("splitter", "words"),
    [
        (GroupShuffleSplit(), r"GroupShuffleSplit.*Pass groups to fit"),
        (GroupKFold(3), r"GroupKFold.*Pass groups to fit"),
        (KFold(200), r"KFold.*cannot split these 150 samples.*n_splits=200"),
        (StratifiedKFold(60), r"random_state=None.*n_splits=60.*in each class\.$"),
        (PredefinedSplit(np.full(150, -1)), r"PredefinedSplit.*gives no split"),
        (Giving(EVERYTHING, NOTHING), "gives 150 to train on and 0 to hold out"),
        (Giving(NOTHING, EVERYTHING), "gives 0 to train on and 150 to hold out"),
        (Giving(np.arange(150), [150]), "gives rows 150 to 150, but .* 150 samples"),
        (5, "must be None or a splitter with a method `split`"),
        (KFold, "must be None or a splitter with a method `split`"),
    ],
)
def test_a_splitter_that_cannot_split_is_refused_by_name(splitter, words):
    model = network(validation_split=splitter)
    with pytest.raises(ValueError, match=f"(?s){words}"):
        model.fit(X, y)
    assert not hasattr(model, "coefs_")


def test_a_splitter_may_give_masks():
    mask = np.arange(150) < 30
    masked = network(validation_split=Giving(~mask, mask)).fit(X, y)
    indexed = network(validation_split=FIRST_THIRTY).fit(X, y)
    np.testing.assert_array_equal(masked.coefs_[0], indexed.coefs_[0])


@pytest.mark.parametrize("fraction", [1.0, 1.5, -0.1])
def test_a_share_that_is_none_is_refused(fraction):
    with pytest.raises(ValueError, match=r"'validation_fraction'.*range \[0.0, 1.0\)"):
        network(validation_fraction=fraction).fit(X, y)


@pytest.mark.parametrize(
    ("groups", "words"),
    [
        (GROUPS[:10], r"groups must have one entry.*150 samples.*\(10,\)"),
        (np.column_stack([GROUPS, GROUPS]), r"groups must.*\(150, 2\)"),
        (np.zeros(150), "groups must have at least two different values"),
    ],
)
def test_groups_that_do_not_fit_are_refused(groups, words):
    with pytest.raises(ValueError, match=words):
        network().fit(X, y, groups=groups)


def test_a_splitter_without_use_for_groups_warns_of_them():
    with pytest.warns(UserWarning, match="groups parameter is ignored by KFold"):
        network(validation_split=KFold(3)).fit(X, y, groups=GROUPS)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"X_val": X[:30]}, "X_val and y_val must be given together"),
        ({"y_val": y[:30]}, "X_val and y_val must be given together"),
        (
            {**HELD, "X_val": X[:30, :3]},
            "X_val.* X has 3 features.* expecting 4 features",
        ),
        ({**HELD, "y_val": y[:5]}, r"inconsistent numbers of samples: \[30, 5\]"),
        ({**HELD, "y_val": y[:30] + 1}, r"classes.*\[1 2 3\]"),
        ({**HELD, "X_val": np.full((30, 4), np.nan)}, "contains NaN"),
        ({"X_val": X[:0], "y_val": y[:0]}, r"0 sample\(s\)"),
        ({"sample_weight_val": np.ones(30)}, "given without X_val and y_val"),
        ({**HELD, "sample_weight_val": np.ones(3)}, r"\(3,\), expected \(30,\)"),
        ({**HELD, "sample_weight_val": -np.ones(30)}, "Negative values"),
    ],
)
def test_validation_data_that_do_not_fit_are_refused(given, words):
    model = network().fit(X, y)
    before = model.coefs_[0].copy()
    with pytest.raises(ValueError, match=f"(?s){words}"):
        model.fit(X, y, **given)
    np.testing.assert_array_equal(model.coefs_[0], before)


def test_a_fit_on_samples_of_weight_zero_is_refused():
    w = (np.arange(150) < 30).astype(float)
    with pytest.raises(ValueError, match="sums to zero over the training data"):
        network(validation_split=FIRST_THIRTY).fit(X, y, sample_weight=w)


def test_a_made_scorer_is_taken():
    scorer = make_scorer(
        log_loss, response_method="predict_proba", greater_is_better=False
    )
    by_name = network(scoring="neg_log_loss").fit(X, y)
    assert network(scoring=scorer).fit(X, y).best_iter_ == by_name.best_iter_
