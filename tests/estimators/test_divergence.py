"""Fits that diverge: the error, the warning or the rescue, and the cause they name."""

import contextlib
import functools
import pickle
import warnings
from dataclasses import dataclass

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from sknn import MLPAutoencoder, MLPClassifier, MLPRegressor
from sknn.initializers import Normal
from sknn.losses import Loss
from sknn.optimizers import OPTIMIZERS
from sknn.training.averaging import SWA

SOLVERS = list(OPTIMIZERS)
MODES = ["raise", "warn", "rescue"]
NON_FINITE = (
    "Solver produced non-finite parameter weights. The input data may contain large "
    "values and need to be preprocessed."
)

rng = np.random.default_rng(0)
X = rng.normal(size=(120, 4))
f = X @ [1.0, -2.0, 0.5, 0.0] + np.sin(2 * X[:, 0])
y = f + 0.1 * rng.normal(size=120)
labels = (f > 0).astype(int)
positive = np.exp(0.5 * f)


def with_outlier(target, value):
    target = target.copy()
    target[7] = value
    return target


@dataclass
class NotANumber(Loss):
    """Squared error that is NaN in its values or in its gradient."""

    what: str = "values"

    def pointwise(self, y, raw, gradient, tape):
        np.subtract(raw, y, out=gradient)
        values = 0.5 * gradient**2
        {"values": values, "gradient": gradient}[self.what][...] = np.nan
        return values


@dataclass
class Unguarded(Loss):
    """The Poisson deviance without a guard against overflow."""

    def pointwise(self, y, raw, gradient, tape):
        np.exp(raw, out=gradient)
        values = gradient - y * raw
        gradient -= y
        return values


def settings(given):
    return {
        "hidden_layer_sizes": (8,),
        "random_state": 0,
        "batch_size": 30,
        "max_iter": 30,
        "tol": 0.0,
        "n_iter_no_change": np.inf,
        **given,
    }


def regressor(**given):
    return MLPRegressor(**settings(given))


def classifier(**given):
    return MLPClassifier(**settings(given))


def fitted(model, X, y, mode, partial=False, **extra):
    """Return the model and what it has said: an error, or the warning of divergence.

    NumPy's warnings, and those of divergence beyond the first, are errors.
    """
    model.set_params(on_divergence=mode)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            (model.partial_fit if partial else model.fit)(X, y, **extra)
        except ValueError as error:
            if mode != "raise":
                raise
            assert not [w for w in caught if w.category is RuntimeWarning]
            return model, str(error)
    assert [str(w.message) for w in caught if w.category is RuntimeWarning] == []
    said = [str(w.message) for w in caught if w.category is ConvergenceWarning]
    said = [words for words in said if "diverged" in words]
    assert len(said) <= 1
    return model, (said or [None])[0]


def assert_sound(model, X=X):
    """Everything published is finite, equally long, and can be used and pickled."""
    assert np.isfinite(model._network.values).all()
    assert np.isfinite(model.predict(X)).all()
    assert len({len(column) for column in model.history_.values()}) <= 1
    assert np.isfinite(model.history_.get("loss", [])).all()
    assert model.history_.get("epoch", []) == list(range(1, model.n_iter_ + 1))
    assert model.loss_curve_ == model.history_.get("loss", [])
    pickle.loads(pickle.dumps(model))


@functools.cache
def untrained(x_scale=1.0, y_scale=1.0):
    """The loss of a first epoch without a step."""
    model = regressor(max_iter=1, learning_rate_init=1e-300)
    model, _ = fitted(model, x_scale * X, y_scale * y, "raise")
    return model.history_["loss"][0]


# The battery -----------------------------------------------------------------------

RATE = "Lower learning_rate_init"
LARGE_X, LARGE_Y = "The largest |x| is", "The largest |y| is"

# What diverges, and the first cause to be named.
SITUATIONS = {
    "rate": (lambda: regressor(solver="sgd", learning_rate_init=1e3), X, y, RATE),
    "rate, labels": (
        lambda: classifier(solver="sgd", learning_rate_init=1e6),
        X,
        labels,
        RATE,
    ),
    "rate, one batch": (
        lambda: regressor(solver="sgd", learning_rate_init=1e4, batch_size=120),
        X,
        y,
        RATE,
    ),
    "rate and decay": (
        lambda: regressor(solver="adamw", learning_rate_init=1e3),
        X,
        y,
        RATE,
    ),
    "unscaled X": (lambda: regressor(solver="sgd"), 1e6 * X, y, LARGE_X),
    "unscaled X, labels": (
        lambda: classifier(solver="sgd", alpha=0.0),
        1e6 * X,
        labels,
        LARGE_X,
    ),
    "unscaled y": (lambda: regressor(solver="sgd"), X, 1e6 * y, "normalize_y=True"),
    "very unscaled y": (lambda: regressor(solver="sgd"), X, 1e12 * y, LARGE_Y),
    "y too large": (
        lambda: regressor(),
        X,
        1e300 * y,
        r"too much for SquaredError() in float64: scale y",
    ),
    "X too large for float32": (
        lambda: regressor(dtype="float32"),
        1e300 * X,
        y,
        "which float32 cannot hold: scale X, or set dtype='float64'",
    ),
    "an outlier": (
        lambda: regressor(solver="sgd"),
        X,
        with_outlier(y, 1e30),
        "look for errors in y",
    ),
    "an outlier too large for float32": (
        lambda: regressor(dtype="float32"),
        X,
        with_outlier(y, 1e30),
        "too much for SquaredError() in float32: scale y",
    ),
    "a count far out": (
        lambda: regressor(loss="poisson", solver="sgd"),
        X,
        with_outlier(positive, 1e12),
        "look for errors in y",
    ),
    "poisson": (
        lambda: regressor(loss="poisson", solver="sgd", learning_rate_init=1e3),
        X,
        positive,
        RATE,
    ),
    "gamma": (
        lambda: regressor(loss="gamma", solver="sgd", learning_rate_init=1e4),
        X,
        positive,
        RATE,
    ),
    "tweedie": (
        lambda: regressor(loss="tweedie", solver="sgd", learning_rate_init=1e3),
        X,
        positive,
        RATE,
    ),
    "counts in the millions": (
        lambda: regressor(loss="poisson", solver="sgd", learning_rate_init=1.0),
        X,
        1e6 * positive,
        "divide y by a constant",
    ),
    "depth": (
        lambda: regressor(
            hidden_layer_sizes=(8,) * 30, weight_init=Normal(2.0), solver="sgd"
        ),
        X,
        y,
        "31 kernels one after another, without normalisation",
    ),
    "large kernels": (
        lambda: regressor(weight_init=Normal(1e8), solver="sgd"),
        X,
        y,
        "The kernels to start from are as large as",
    ),
    "momentum": (
        lambda: regressor(
            solver="sgd", momentum=0.9999, learning_rate_init=0.5, max_iter=100
        ),
        X,
        y,
        "momentum=0.9999 adds up steps: lower it",
    ),
    "a loss of NaN": (lambda: regressor(loss=NotANumber()), X, y, "check its formula"),
    "a gradient of NaN": (
        lambda: regressor(loss=NotANumber("gradient")),
        X,
        y,
        "check its formula",
    ),
    "an exp without guard": (
        lambda: regressor(loss=Unguarded(), learning_rate_init=1e3),
        X,
        positive,
        RATE,
    ),
    "lbfgs, X": (lambda: regressor(solver="lbfgs"), 1e150 * X, y, LARGE_X),
    "lbfgs, y": (lambda: regressor(solver="lbfgs"), X, 1e300 * y, "scale y"),
    "lbfgs, a loss of NaN": (
        lambda: regressor(loss=NotANumber(), solver="lbfgs"),
        X,
        y,
        "check its formula",
    ),
}
# Where no rate, or none within ten rescues, leads to a model.
LOST = {
    "y too large": "No lower rate can help",
    "X too large for float32": "No lower rate can help",
    "an outlier": "Gave up after 10 rescues, at 1e-13",
    "an outlier too large for float32": "No lower rate can help",
    "depth": "Gave up after 10 rescues, at 1e-13",
    "large kernels": "Gave up after 10 rescues, at 1e-13",
    "a loss of NaN": "No lower rate can help",
    "a gradient of NaN": "No lower rate can help",
}
# Where little is left to learn by the rate that is found.
SLOW = {"momentum": 1.0, "a count far out": 2.0}


@pytest.fixture(params=SITUATIONS)
def situation(request):
    return (request.param, *SITUATIONS[request.param])


def test_raise_names_epoch_and_cause_and_leaves_no_model(situation):
    _, make, X, y, cause = situation
    model, said = fitted(make(), X, y, "raise")
    assert "Training diverged in epoch " in said
    assert said.startswith((NON_FINITE, "Training diverged"))
    assert cause in said
    assert not hasattr(model, "coefs_")
    assert not [name for name in vars(model) if name.endswith("_")]


def test_warn_keeps_the_last_finite_parameters(situation):
    name, make, X_given, y, cause = situation
    model, said = fitted(make(), X_given, y, "warn")
    assert "Training diverged in epoch " in said
    assert cause in said
    assert said.endswith(
        f"The last finite parameters are kept: those after epoch {model.n_iter_}."
        if model.n_iter_
        else "The last finite parameters are kept: the initial ones."
    )
    representable = "float32" not in name
    assert_sound(model, X_given if representable else X)
    if "lbfgs" not in name and representable:
        assert model.n_iter_ < model.max_iter


def test_rescue_ends_with_a_model_where_there_is_one(situation):
    name, make, X_given, y, cause = situation
    model, said = fitted(make(), X_given, y, "rescue")
    assert "Training diverged in epoch " in said
    assert cause in said
    if "lbfgs" in name:
        assert "The last finite parameters are kept" in said
        return
    assert_sound(model, X_given if "float32" not in name else X)
    if name in LOST:
        assert LOST[name] in said
        return
    assert "Rescued" in said
    assert f"at {model.learning_rate_init * model._state.backoff:.3g}." in said
    assert model.n_iter_ == model.max_iter
    limit = SLOW.get(name, 0.5)
    assert model.loss_ < limit * max(model._state.first_loss, model.history_["loss"][0])


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("rate", [1e3, 1e6])
@pytest.mark.parametrize("batch_size", [30, 120])
def test_rescue_learns_from_a_huge_rate_of_every_solver(solver, rate, batch_size):
    model = regressor(solver=solver, learning_rate_init=rate, batch_size=batch_size)
    model, said = fitted(model, X, y, "rescue")
    assert RATE in said
    assert ("max_grad_norm" in said) is (solver == "sgd")
    assert_sound(model)
    assert min(model.history_["loss"][-5:]) < 0.5 * untrained()


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("mode", MODES)
def test_no_rate_of_any_solver_publishes_what_is_not_finite(solver, mode):
    for make, target, rate, dtype in (
        (regressor, y, 1e30, "float32"),
        (regressor, y, 1e30, "float64"),
        (classifier, labels, 1e12, "float32"),
    ):
        model = make(solver=solver, learning_rate_init=rate, max_iter=10, dtype=dtype)
        model, said = fitted(model, X, target, mode)
        if mode == "raise" and said is not None:
            assert not hasattr(model, "coefs_")
        else:
            assert_sound(model)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("mode", MODES)
def test_unscaled_data_of_every_solver(solver, mode):
    """All but sgd take steps of one size, and come down slowly instead."""
    for x_scale, y_scale, share in ((1e6, 1.0, 0.5), (1.0, 1e6, 1.0)):
        rate = 0.05 if solver == "adagrad" else 0.001  # its steps grow ever shorter
        model = regressor(solver=solver, learning_rate_init=rate)
        model, said = fitted(model, x_scale * X, y_scale * y, mode)
        if mode == "raise" and said is not None:
            assert solver == "sgd"
            continue
        assert_sound(model, x_scale * X)
        if mode == "rescue":
            assert model.loss_ < share * untrained(x_scale, y_scale)


EXTRAS = {
    "early stopping": {"early_stopping": True},
    "ema": {"average": "ema"},
    "swa": {"average": SWA(start=10)},
    "clipping": {"max_grad_norm": 1.0},
    "diagnostics": {"diagnostics": True},
    "batch norm": {"normalization": "batch"},
    "layer norm": {"normalization": "layer", "residual": True},
    "dropout": {"dropout": 0.2},
    "adaptive": {"learning_rate": "adaptive"},
    "cosine": {"learning_rate": "cosine"},
    "one cycle": {"learning_rate": "one_cycle"},
    "decay": {"alpha": 1.0, "l1_ratio": 0.5},
    "all": {
        "early_stopping": True,
        "scoring": "loss",
        "average": "ema",
        "normalization": "batch",
        "diagnostics": True,
        "max_grad_norm": 1.0,
        "learning_rate": "cosine",
    },
}


@pytest.mark.parametrize("extra", EXTRAS)
@pytest.mark.parametrize(
    ("solver", "rate", "scale"),
    [("sgd", 1e4, 1.0), ("adamw", 1e4, 1.0), ("sgd", 1e-3, 1e6)],
)
@pytest.mark.filterwarnings("ignore:.*:UserWarning")
def test_warn_and_rescue_go_with_everything_else(extra, solver, rate, scale):
    for mode in ("warn", "rescue"):
        model = regressor(solver=solver, learning_rate_init=rate, **EXTRAS[extra])
        model, said = fitted(model, scale * X, y, mode)
        assert_sound(model, scale * X)
        for column in model.history_.values():
            assert len(column) == model.n_iter_
        if mode == "rescue":
            assert model.n_iter_ == model.max_iter
            worst = max(model._state.first_loss, model.history_["loss"][0])
            assert min(model.history_["loss"]) < 0.7 * worst
        elif said is not None and model.early_stopping and model.n_iter_:
            assert said.endswith("The best parameters are kept.")


# Where fits begin ------------------------------------------------------------------


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("partial", [False, True])
def test_no_fit_goes_on_from_what_is_not_finite(value, mode, partial):
    model = regressor(max_iter=2, warm_start=True)
    fitted(model, X, y, mode)
    model.coefs_[0][...] = value
    before = pickle.dumps(vars(model)["_network"].values)
    with pytest.raises(ValueError, match="parameters to start from hold NaN or inf"):
        (model.partial_fit if partial else model.fit)(X, y)
    assert pickle.dumps(model._network.values) == before
    assert model.n_iter_ == 2
    model.coefs_[0][...] = 0.1
    fitted(model, X, y, mode)
    assert model.history_["epoch"] == [1, 2, 3, 4]


@pytest.mark.parametrize("solver", ["sgd", "adam", "lion"])
@pytest.mark.parametrize("partial", [False, True])
def test_kernels_of_an_earlier_fit_may_be_the_cause(solver, partial):
    for mode in MODES:
        model = regressor(max_iter=2, warm_start=True, solver=solver)
        fitted(model, X, y, mode)
        model.coefs_[0][...] = 1e300
        kept = model._network.values.copy()
        model, said = fitted(model, X, y, mode, partial)
        assert "The kernels to start from are as large as 1e+300" in said
        assert "Training diverged in epoch 3" in said
        np.testing.assert_array_equal(model._network.values, kept)
        assert model.history_["epoch"] == [1, 2]
        if mode == "rescue":
            assert "No lower rate can help" in said
            assert model._state.backoff == 1.0
        if mode != "raise":
            assert said.endswith("those after epoch 2.")


@pytest.mark.parametrize("partial", [False, True])
def test_an_earlier_model_survives_the_error(partial):
    model = regressor(solver="sgd", max_iter=3, warm_start=True)
    fitted(model, X, y, "raise")
    state, values = pickle.dumps(model._state), model._network.values.copy()
    prediction = model.predict(X)
    model.set_params(learning_rate_init=1e30)
    _, said = fitted(model, X, y, "raise", partial)
    assert "Training diverged in epoch 4" in said
    np.testing.assert_array_equal(model._network.values, values)
    np.testing.assert_array_equal(model.predict(X), prediction)
    assert pickle.dumps(model._state) == state
    model.set_params(warm_start=False)
    fitted(model, 1e6 * X, y, "raise")
    np.testing.assert_array_equal(model.predict(X), prediction)


def test_partial_fit_is_rescued_and_stays_so():
    model = regressor(solver="sgd", learning_rate_init=1e3)
    said = [fitted(model, X, y, "rescue", partial=True)[1] for _ in range(20)]
    assert "Rescued" in said[0]
    assert said[-1] is None
    assert model._state.backoff < 1e-3
    assert model.history_["epoch"] == list(range(1, 21))
    assert model.loss_ < 0.1 * model.history_["loss"][0]


# Weights ---------------------------------------------------------------------------


@pytest.mark.parametrize("normalization", [None, "batch"])
@pytest.mark.parametrize("solver", SOLVERS)
def test_batches_without_weight_are_no_divergence(normalization, solver):
    w = np.ones(120)
    w[:60] = 0.0
    given = {"solver": solver, "normalization": normalization, "max_iter": 8}
    models = []
    for mode in MODES:
        model, said = fitted(
            regressor(shuffle=False, **given), X, y, mode, sample_weight=w
        )
        assert said is None
        assert_sound(model)
        models.append(model._network.values)
    np.testing.assert_array_equal(models[0], models[1])
    np.testing.assert_array_equal(models[0], models[2])


def test_a_sample_without_weight_may_hold_anything():
    w = np.ones(120)
    w[7] = 0.0
    for mode in ("warn", "rescue"):
        far = with_outlier(y, 1e6)
        model, said = fitted(regressor(), X, far, mode, sample_weight=w)
        assert said is None
        assert_sound(model)


# Fits that do not diverge ----------------------------------------------------------


@pytest.mark.parametrize("solver", [*SOLVERS, "lbfgs"])
@pytest.mark.parametrize(
    "extra",
    [
        {},
        {"early_stopping": True, "dropout": 0.3},
        {"normalization": "batch", "average": "ema", "dtype": "float32"},
    ],
    ids=str,
)
def test_a_healthy_fit_is_the_same_to_the_bit_in_all_modes(solver, extra):
    given = {"solver": solver, "learning_rate_init": 0.003, "max_iter": 12}
    models = [fitted(regressor(**{**given, **extra}), X, y, mode) for mode in MODES]
    first, said = models[0]
    assert said is None
    for model, said in models[1:]:
        assert said is None
        np.testing.assert_array_equal(model._network.values, first._network.values)
        for name in set(first.history_) - {"time"}:
            assert model.history_[name] == first.history_[name]


def test_a_noisy_fit_that_cannot_learn_is_not_rescued():
    noise = np.random.default_rng(1).normal(size=120)
    for solver in SOLVERS:
        model = regressor(solver=solver, learning_rate_init=0.01, dropout=0.5)
        model, said = fitted(model, X, noise, "rescue")
        assert said is None
        assert model._state.backoff == 1.0


def test_one_target_in_a_thousand_may_be_far_out():
    """The first loss counts every sample, so that Adam's slow descent is no excess."""
    rng = np.random.default_rng(2)
    X, y = rng.normal(size=(1000, 3)), rng.normal(size=1000)
    y[3] = 1e6
    for solver in ("adam", "lion"):
        _, said = fitted(regressor(solver=solver, max_iter=5), X, y, "rescue")
        assert said is None


# Rescues ---------------------------------------------------------------------------


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("extra", [{}, {"average": "ema"}, {"early_stopping": True}])
def test_five_epochs_and_five_more_equal_ten_with_rescues(solver, extra):
    given = {"solver": solver, "learning_rate_init": 1e4, **extra}
    whole, _ = fitted(regressor(max_iter=10, **given), X, y, "rescue")
    half = regressor(max_iter=5, warm_start=True, **given)
    half, _ = fitted(half, X, y, "rescue")
    backoff = half._state.backoff
    assert backoff < 1
    half = pickle.loads(pickle.dumps(half))
    half, _ = fitted(half, X, y, "rescue")
    assert half._state.backoff == whole._state.backoff <= backoff
    np.testing.assert_array_equal(half._network.values, whole._network.values)
    for name in set(whole.history_) - {"time"}:
        assert half.history_[name] == whole.history_[name]


def test_rescue_says_each_time_with_verbose_what_it_does(capsys):
    model = regressor(solver="sgd", learning_rate_init=1e3, verbose=True)
    fitted(model, X, y, "rescue")
    printed = capsys.readouterr().out
    assert "Going back to epoch 0. Setting the initial learning rate to 100" in printed


def test_a_rescue_divides_by_ten_and_the_warning_counts():
    model = regressor(solver="sgd", learning_rate_init=1e3, max_iter=20)
    model, said = fitted(model, X, y, "rescue")
    times = round(-np.log10(model._state.backoff))
    assert f"Rescued {times} times (epoch 1" in said
    assert "Lower learning_rate_init (now 1000)" in said
    assert model.history_["learning_rate"][-1] == pytest.approx(10.0 ** (3 - times))


def test_lbfgs_has_no_rate_to_lower():
    model = regressor().set_params(max_iter=2, warm_start=True)
    fitted(model, X, y, "rescue")
    model.set_params(solver="lbfgs")
    model, said = fitted(model, 1e155 * X, y, "rescue")
    assert "learning_rate_init" not in said
    assert said.endswith("The last finite parameters are kept: those after epoch 2.")


def test_the_input_of_an_autoencoder_is_no_target():
    model = MLPAutoencoder(2, (), solver="sgd", max_iter=5, random_state=0)
    for mode in MODES:
        _, said = fitted(model, 1e6 * X, None, mode)
        assert LARGE_X in said
        assert "|y|" not in said


def test_the_error_keeps_the_best_weights_of_early_stopping():
    """As scikit-learn: a diverged epoch has no score, the best one has."""
    model = regressor(solver="sgd", early_stopping=True, learning_rate_init=3.0)
    model, said = fitted(model, X, y, "raise")
    assert said.endswith("The best parameters are kept.")
    assert RATE in said
    assert np.isfinite(model.predict(X)).all()


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
def test_a_lower_rate_is_taken_as_it_is_given_after_a_rescue():
    model = regressor(solver="sgd", learning_rate_init=1e4, on_divergence="rescue")
    with pytest.warns(ConvergenceWarning, match="Rescued"):
        model.fit(X, y)
    assert model._state.backoff < 1
    model.set_params(warm_start=True, learning_rate_init=1e-3, learning_rate="constant")
    model.fit(X, y)
    assert model.history_["learning_rate"][-1] == 1e-3


@pytest.mark.parametrize("mode", ["warn", "rescue"])
def test_lbfgs_goes_back_to_finite_statistics(mode):
    model = regressor(solver="lbfgs", normalization="batch", on_divergence=mode)
    with pytest.warns(ConvergenceWarning, match="diverged"):
        model.fit(X * 1e300, y)
    assert np.isfinite(model._network.values).all()


@pytest.mark.parametrize("solver", ["sgd", "adamw"])
def test_scores_overflow_in_silence(solver):
    model = regressor(solver=solver, early_stopping=True, learning_rate_init=1e4)
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        warnings.simplefilter("ignore", ConvergenceWarning)
        with contextlib.suppress(ValueError):
            model.fit(X, y)


def test_targets_that_float32_cannot_hold_are_refused():
    with pytest.raises(ValueError, match="too large for float32"):
        regressor(dtype="float32").fit(X, 1e300 * y)


def test_huge_targets_are_normalised_without_overflow():
    model = regressor(normalize_y=True, solver="adam", max_iter=3)
    with pytest.warns(ConvergenceWarning):
        huge = model.fit(X, 1e300 * y).predict(X)
        plain = model.fit(X, y).predict(X)
    np.testing.assert_allclose(huge / 1e300, plain, rtol=1e-9)
