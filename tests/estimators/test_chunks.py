"""A fit on chunks is that on all rows together, and says what chunks cannot have."""

import numpy as np
import pytest
from scipy import sparse

from sknn import (
    MLPAutoencoder,
    MLPClassifier,
    MLPEnsembleClassifier,
    MLPEstimator,
    MLPRegressor,
    PerceptronClassifier,
    TabularMLPClassifier,
)
from sknn.estimators._chunks import Sample
from sknn.estimators._data import Sum

pytestmark = pytest.mark.filterwarnings("ignore:Stochastic Optimizer")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(305, 5))
TEN = np.floor(2 * X[:, 0]).astype(int) + 3
NUMBERS = X[:, 0] * 50 + 7
W = RNG.random(305)
CUTS = (100, 130, 131, 290)
SETTINGS = {
    "hidden_layer_sizes": (6,),
    "max_iter": 4,
    "batch_size": 32,
    "random_state": 0,
    "shuffle": False,
}


def cut(*arrays, at=CUTS):
    return list(zip(*(np.split(a, at) for a in arrays), strict=True))


def classifier(**changes):
    return MLPClassifier(**{**SETTINGS, **changes})


def assert_same(one, other):
    for a, b in zip(one.coefs_, other.coefs_, strict=True):
        np.testing.assert_array_equal(a, b)
    assert one.loss_curve_ == other.loss_curve_


class Source:
    """Chunks that start anew each time, counted, and changed from some time on."""

    def __init__(self, chunks, later=None, at=2):
        self.chunks, self.later, self.at, self.passes = chunks, later, at, 0

    def __iter__(self):
        self.passes += 1
        changed = self.later is not None and self.passes >= self.at
        yield from (self.later if changed else self.chunks)


# Equality ------------------------------------------------------------------------


@pytest.mark.parametrize("weights", [False, True])
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"solver": "sgd", "alpha": 0.1},
        {"solver": "adamw", "dropout": 0.3},
        {"dtype": "float32"},
        {"batch_size": 1000},
        {"batch_size": 7, "normalization": "batch", "average": "ema"},
        {"diagnostics": True},
    ],
    ids=lambda v: getattr(v, "__name__", str(v)),
)
def test_without_shuffling_the_fit_is_that_of_all_rows_to_the_bit(changes, weights):
    data = (X, TEN, W) if weights else (X, TEN)
    if changes.get("batch_size") == 1000:
        changes = {"batch_size": 305}
    assert_same(classifier(**changes).fit(*data), classifier(**changes).fit(cut(*data)))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_regression_is_the_same_too(dtype):
    data = X.astype(dtype), np.column_stack([NUMBERS, X[:, 1]]), W
    settings = {**SETTINGS, "learning_rate_init": 0.01}
    own = MLPRegressor(**settings).fit(cut(*data))
    assert own.coefs_[0].dtype == dtype
    assert_same(MLPRegressor(**settings).fit(*data), own)


@pytest.mark.parametrize("convert", [sparse.csr_matrix, sparse.csc_array])
def test_sparse_chunks_are_taken(convert):
    thin = X * (X > 0)
    chunks = [(convert(a), b) for a, b in cut(thin, TEN)]
    assert_same(classifier().fit(convert(thin), TEN), classifier().fit(chunks))


def test_frames_are_taken_with_their_names():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(X, columns=list("abcde"))
    chunks = [
        (frame.iloc[:200], pd.Series(TEN[:200])),
        (frame.iloc[200:], pd.Series(TEN[200:])),
    ]
    model = classifier().fit(chunks)
    assert model.feature_names_in_.tolist() == list("abcde")
    assert_same(classifier().fit(frame, TEN), model)
    chunks[1] = frame.iloc[200:, ::-1], chunks[1][1]
    with pytest.raises(ValueError, match=r"Chunk 2: .*The feature names should match"):
        classifier().fit(chunks)


def test_labels_that_come_late_are_learned():
    order = np.argsort(TEN, kind="stable")
    labels = np.array([f"class {'x' * i}{i}" for i in range(10)])[TEN]
    model = classifier().fit(cut(X[order], labels[order]))
    assert model.classes_.tolist() == np.unique(labels).tolist()
    assert_same(classifier().fit(X[order], labels[order]), model)


@pytest.mark.parametrize("weights", [False, True])
@pytest.mark.parametrize("factors", ["balanced", {1: 3.0}])
def test_class_weights_are_those_of_all_rows(factors, weights):
    data = (X, TEN, W) if weights else (X, TEN)
    own = classifier(class_weight=factors).fit(cut(*data))
    whole = classifier(class_weight=factors).fit(*data)
    np.testing.assert_allclose(own.coefs_[0], whole.coefs_[0], rtol=1e-10)


@pytest.mark.parametrize("weights", [False, True])
def test_y_is_normalized_by_the_moments_of_all_rows(weights):
    data = (X, NUMBERS, W) if weights else (X, NUMBERS)
    settings = {**SETTINGS, "normalize_y": True}
    own = MLPRegressor(**settings).fit(cut(*data))
    whole = MLPRegressor(**settings).fit(*data)
    np.testing.assert_allclose(own.predict(X), whole.predict(X), rtol=1e-10)


def test_multilabel_targets_and_the_joint_class_are_taken():
    several = (X[:, :3] > 0).astype(int)
    assert_same(classifier().fit(X, several), classifier().fit(cut(X, several)))
    settings = {**SETTINGS, "task": "classification"}
    assert_same(
        MLPEstimator(**settings).fit(X, TEN), MLPEstimator(**settings).fit(cut(X, TEN))
    )


def test_validation_data_lets_training_stop_early():
    settings = {"early_stopping": True, "max_iter": 50, "n_iter_no_change": 2}
    val = {"X_val": X[:50], "y_val": TEN[:50]}
    assert_same(
        classifier(**settings).fit(X, TEN, **val),
        classifier(**settings).fit(cut(X, TEN), **val),
    )


# Training ------------------------------------------------------------------------


def test_shuffling_stays_within_chunks_and_is_the_same_each_time():
    chunks = cut(X, TEN)
    one, two = (classifier(shuffle=True).fit(chunks) for _ in range(2))
    assert_same(one, two)
    assert one.loss_curve_ != classifier().fit(chunks).loss_curve_


def test_five_epochs_and_five_more_on_chunks_equal_ten():
    chunks, settings = cut(X, TEN), {"shuffle": True, "dropout": 0.2}
    half = classifier(max_iter=5, warm_start=True, **settings).fit(chunks)
    assert_same(classifier(max_iter=10, **settings).fit(chunks), half.fit(chunks))


def test_there_is_one_pass_before_the_epochs():
    source = Source(cut(X, TEN))
    classifier(max_iter=3).fit(source)
    assert source.passes == 4


def test_callbacks_and_rescue_work_as_ever():
    told = []
    model = classifier(callbacks=lambda e: told.append(e.number) or e.number == 2)
    assert model.fit(cut(X, TEN)).n_iter_ == 2
    assert told == [1, 2]
    wild = {"learning_rate_init": 1e6, "on_divergence": "rescue", "solver": "sgd"}
    with pytest.warns(Warning, match="Rescued|kept"):
        model = MLPRegressor(**{**SETTINGS, **wild}).fit(cut(X, NUMBERS))
    assert np.isfinite(model.coefs_[0]).all()


def test_bins_of_quantiles_come_from_a_sample():
    settings = {"numeric_embedding": "piecewise_linear"}
    own = classifier(**settings).fit(cut(X, TEN))
    assert_same(classifier(**settings).fit(X, TEN), own)


# What goes wrong -----------------------------------------------------------------


class Broken:
    def __init__(self, error, at):
        self.error, self.at, self.passes = error, at, 0

    def __iter__(self):
        self.passes += 1
        for i, chunk in enumerate(cut(X, TEN)):
            if self.passes == self.at and i == 2:
                raise self.error
            yield chunk


@pytest.mark.parametrize("at", [1, 2, 3])
def test_an_error_of_the_users_iterator_leaves_the_earlier_model(at):
    model = classifier().fit(X, TEN)
    before = model.coefs_[0].copy()
    with pytest.raises(OSError, match="disk"):
        model.fit(Broken(OSError("disk"), at))
    np.testing.assert_array_equal(model.coefs_[0], before)
    assert model.n_iter_ == 4


def test_ctrl_c_keeps_the_last_complete_epoch():
    with pytest.warns(UserWarning, match="interrupted by user"):
        model = classifier().fit(Broken(KeyboardInterrupt(), at=4))
    assert_same(classifier(max_iter=2).fit(X, TEN), model)


@pytest.mark.parametrize(
    ("later", "message"),
    [
        (cut(X, TEN, at=(99,)), "Chunk 1: it has 99 rows, but had 100"),
        (cut(X, TEN)[:-1], "5 chunks in the first pass, but only 4 now"),
        ([*cut(X, TEN), (X, TEN)], "Chunk 6: it has 305 rows, but had 0"),
        ([*cut(X, TEN)[:-1], (X[290:], TEN[290:] + 90)], "Chunk 5: `y` has classes"),
    ],
)
def test_chunks_must_be_the_same_in_every_epoch(later, message):
    model = classifier()
    with pytest.raises(ValueError, match=message):
        model.fit(Source(cut(X, TEN), later, at=3))
    assert not hasattr(model, "coefs_")


NAN = np.where(np.arange(305)[:, None] == 300, np.nan, X)


@pytest.mark.parametrize(
    ("chunks", "message"),
    [
        (Source([]), "the iterable is empty"),
        (cut(NAN, TEN), "Chunk 5: Input X contains NaN"),
        ([(X, TEN), (X[:, :3], TEN)], "Chunk 2: X has 3 features, but"),
        ([(X, TEN), (X, TEN[:4])], "Chunk 2: Found input variables with incons"),
        ([(X, TEN), (X, TEN, W)], "Chunk 2: either all chunks have a sample_weight"),
        ([(X, TEN), (X, TEN, -W)], "Chunk 2: Negative values in data"),
        ([(X, TEN), X], r"Chunk 2 must be a tuple \(X, y\) or"),
        ([(X, TEN), (X, (X > 0).astype(int))], "Chunk 2: y has another form"),
        ([(X, TEN, 0 * W)], "zero"),
    ],
)
def test_bad_chunks_are_named(chunks, message):
    model = classifier()
    with pytest.raises(ValueError, match=message):
        model.fit(chunks)
    assert not hasattr(model, "coefs_")


@pytest.mark.parametrize(
    ("model", "given", "message"),
    [
        (classifier(solver="lbfgs"), {}, "'lbfgs' needs all samples at once"),
        (classifier(early_stopping=True), {}, "give X_val and y_val"),
        (classifier(scaling="standard"), {}, "Encode and scale X before"),
        (classifier(), {"sample_weight": W}, "comes within the chunks"),
        (classifier(), {"groups": TEN}, "groups cannot be given"),
        (MLPEstimator(), {}, "set task='classification'"),
    ],
)
def test_what_chunks_cannot_have_is_refused(model, given, message):
    with pytest.raises(ValueError, match=message):
        model.fit(cut(X, TEN), **given)


def test_what_can_be_gone_through_only_once_is_refused():
    with pytest.raises(TypeError, match=r"a generator can be gone .* partial_fit"):
        classifier().fit(chunk for chunk in cut(X, TEN))


@pytest.mark.parametrize(
    "model",
    [
        MLPAutoencoder(),
        MLPEnsembleClassifier(),
        TabularMLPClassifier(),
        PerceptronClassifier(),
    ],
    ids=lambda model: type(model).__name__,
)
def test_other_estimators_refuse_chunks(model):
    with pytest.raises(TypeError, match=r"does not take chunks"):
        model.fit(cut(X, TEN), None)


@pytest.mark.parametrize("given", [X, X.tolist(), sparse.csr_array(X), [(1, 2)] * 9])
def test_plain_data_without_y_is_refused_in_scikit_learns_words(given):
    with pytest.raises(ValueError, match="requires y to be passed, but the target y"):
        classifier().fit(given)


# Parts ---------------------------------------------------------------------------


@pytest.mark.parametrize("n", [0, 5, 1024, 5000])
def test_a_sum_is_the_same_however_it_is_cut(n):
    values, totals = RNG.random(n), []
    for at in ([], [n // 3], [1, 2, n // 2, n]):
        parts = Sum()
        for piece in np.split(values, at):
            parts.add(piece)
        totals.append(parts.total())
    assert totals[0] == pytest.approx(values.sum(), rel=1e-14)
    assert totals[1:] == totals[:1] * 2


@pytest.mark.parametrize("size", [1, 100, 5000])
def test_a_sample_is_every_so_many_th_row(size):
    rows, sample = np.arange(5000.0)[:, None], Sample()
    for start in range(0, 5000, size):
        sample.add(rows[start : start + size], rows[start : start + size, 0], None)
    X, y, w = sample.joined()
    assert 400 < len(X) <= 1100
    assert (np.diff(y) == y[1]).all()
    assert w is None


def test_a_killed_fit_on_chunks_resumes_to_the_bit(tmp_path):
    def killed(epoch):
        if epoch.number == 3:
            raise InterruptedError

    path, chunks = tmp_path / "checkpoint", [(X[:200], TEN[:200]), (X[200:], TEN[200:])]
    settings = {"max_iter": 5, "learning_rate": "cosine"}
    with pytest.raises(InterruptedError):
        classifier(**settings, callbacks=killed, checkpoint=path).fit(chunks)
    resumed = classifier(**settings).fit(chunks, resume_from=path)
    assert_same(classifier(**settings).fit(chunks), resumed)
    assert len(resumed.loss_curve_) == 5
    with pytest.raises(ValueError, match="stored by a fit to other data"):
        classifier(**settings).fit(chunks[::-1], resume_from=path)
