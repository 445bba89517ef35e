"""Every other argument of `fit`, `partial_fit` and what predicts, spelled wrongly."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.exceptions import NotFittedError
from sklearn.utils.fixes import parse_version

from sknn import MLPClassifier, MLPRegressor, PerceptronClassifier
from sknn.estimators._sklearn import SKLEARN_VERSION
from tests.estimators.outcomes import (
    CODES,
    MODELS,
    NUMBERS,
    TABULAR,
    N,
    X,
    answers,
    assert_refused,
    assert_same,
    assert_sound,
    cases_of,
    fitted,
    quiet,
    reference,
    run_row,
    target,
)

KERNELS = [np.full((3, 4), 0.125), np.full((4, 3), 0.25)]
HALF = np.arange(N) % 2

# Who is given what, and the word that says what is wrong.
GROUPS = {
    "a number": (lambda: 3, "groups must have one entry for each of the 24"),
    "a word": (lambda: "abc", "groups must have one entry"),
    "dict": (lambda: {"a": 1}, "groups must have one entry"),
    "generator": (lambda: (i for i in range(N)), "groups must have one entry"),
    "no dimension": (lambda: np.array(1), "groups must have one entry"),
    "too short": (lambda: np.arange(N - 1), r"groups must have one entry.*\(23,\)"),
    "two columns": (lambda: np.ones((N, 2)), r"groups must have one entry.*\(24, 2\)"),
    "sparse": (lambda: sparse.csr_array(HALF[:, None]), "groups must have one entry"),
    "ragged": (lambda: [[1], [1, 2]] * 12, "groups cannot be used.*inhomogeneous"),
    "None": (lambda: [None] * N, "groups (cannot be used|must not be missing)"),
    "NaN": (lambda: np.where(HALF, np.nan, 1.0), "groups must not be missing"),
    "words and numbers": (
        lambda: np.array(["a", 1] * 12, dtype=object),
        "groups cannot be used.*not supported between",
    ),
    "masked": (lambda: np.ma.masked_array(HALF, HALF), "groups is masked"),
}
WITH_GROUPS = [n for n in MODELS if n not in ("PerceptronClassifier", "MLPAutoencoder")]

VALIDATION = {
    "X only": ({"X_val": X}, "X_val and y_val must be given together"),
    "y only": ({"y_val": CODES}, "X_val and y_val must be given together"),
    "weights only": (
        {"sample_weight_val": np.ones(N)},
        "sample_weight_val is given without|X_val and y_val",
    ),
    "a word": ({"X_val": "X", "y_val": CODES}, "X_val.*do not fit"),
    "one dimension": ({"X_val": X[:, 0], "y_val": CODES}, "X_val.*do not fit.*2D"),
    "too narrow": ({"X_val": X[:, :2], "y_val": CODES}, "X_val.*2 features"),
    "words": ({"X_val": np.full((N, 3), "a"), "y_val": CODES}, "X_val.*could not conv"),
    "complex": ({"X_val": X + 1j, "y_val": CODES}, "X_val.*Complex data"),
    "infinity": ({"X_val": X + np.inf, "y_val": CODES}, "X_val.*infinity"),
    "masked": (
        {"X_val": np.ma.masked_array(X, X > 1), "y_val": CODES},
        "X_val.*masked",
    ),
    "y too short": (
        {"X_val": X, "y_val": CODES[:5]},
        "X_val.*do not fit.*inconsistent",
    ),
    "y of dicts": ({"X_val": X, "y_val": [{}] * N}, r"X_val.*do not fit.*\by\b"),
    "y of NaN": ({"X_val": X, "y_val": np.full(N, np.nan)}, "X_val.*y contains NaN"),
    "two columns of y": (
        {"X_val": X, "y_val": np.c_[CODES, CODES] + 0.5},
        "X_val.*do not fit",
    ),
    "weights too short": (
        {"X_val": X, "y_val": CODES, "sample_weight_val": np.ones(3)},
        r"X_val.*do not fit.*\(3,\)",
    ),
    "weights of dicts": (
        {"X_val": X, "y_val": CODES, "sample_weight_val": {0: 1}},
        "X_val.*do not fit.*sample_weight",
    ),
    "negative weights": (
        {"X_val": X, "y_val": CODES, "sample_weight_val": -np.ones(N)},
        "X_val.*do not fit.*Negative",
    ),
    "NaN as weight": (
        {"X_val": X, "y_val": CODES, "sample_weight_val": np.nan},
        "X_val.*do not fit.*NaN",
    ),
}

SHAPES = r"must have the shapes \[\(3, 4\), \(4, 3\)\]"
NO_KERNELS = {
    "a number": (3, "must be a list of arrays of numbers.*got 3"),
    "a word": ("abc", "must be a list of arrays of numbers"),
    "dict": ({"W": KERNELS[0]}, "must be a list of arrays of numbers"),
    "none": ([], rf"{SHAPES}, got \[\]"),
    "one": (KERNELS[:1], SHAPES),
    "three": ([*KERNELS, KERNELS[0]], SHAPES),
    "transposed": ([kernel.T for kernel in KERNELS], SHAPES),
    "one array": (np.zeros((2, 3, 4)), SHAPES),
    "ragged": ([[[1], [1, 2]], KERNELS[1]], "must be a list of arrays of numbers"),
    "words": (
        [np.full((3, 4), "a"), KERNELS[1]],
        "must be a list of arrays of numbers",
    ),
    "sparse": ([sparse.csr_array(KERNELS[0]), KERNELS[1]], "must be a list of arrays"),
    "complex": ([KERNELS[0] + 1j, KERNELS[1]], "must be a list of arrays of numbers"),
    "NaN": ([KERNELS[0] * np.nan, KERNELS[1]], "must be finite in float64"),
    "infinity": ([KERNELS[0] + np.inf, KERNELS[1]], "must be finite in float64"),
    "masked": (
        [np.ma.masked_array(KERNELS[0], KERNELS[0] > 0), KERNELS[1]],
        "must be a list of arrays of numbers",
    ),
    "an int beyond float64": (
        [[[10**400] * 4] * 3, KERNELS[1]],
        "must be a list of arrays of numbers",
    ),
}

SPELLED_KERNELS = {
    "tuple": lambda: tuple(KERNELS),
    "lists": lambda: [kernel.tolist() for kernel in KERNELS],
    "float32": lambda: [kernel.astype(np.float32) for kernel in KERNELS],
    "Fortran order": lambda: [np.asfortranarray(kernel) for kernel in KERNELS],
    "objects": lambda: [kernel.astype(object) for kernel in KERNELS],
    "frames": lambda: [pd.DataFrame(kernel) for kernel in KERNELS],
}

INITIAL = {
    "a word": ("abc", "coef_init.*could not convert"),
    "NaN": (np.full((3, 3), np.nan), "coef_init contains NaN"),
    "too few": (np.ones(2), r"coef_init must have the shape \(3, 3\)"),
    "a number": (1.0, r"coef_init must have the shape"),
    "dict": ({}, "coef_init cannot be used.*dict"),
    "ragged": ([[1], [1, 2]], "coef_init cannot be used"),
    "sparse": (sparse.csr_array((3, 3)), "coef_init cannot be used"),
    "complex": (np.ones((3, 3)) + 1j, "coef_init must hold real numbers"),
    "an int beyond float64": ([[10**400] * 3] * 3, "coef_init cannot be used"),
}

NO_CLASSES = {
    "nothing": (lambda: None, "classes must be passed on the first call"),
    "a word": (lambda: "ab", "classes cannot be used.*array-like"),
    "a number": (lambda: 3, "classes cannot be used.*array-like"),
    "dict": (lambda: {0: 1}, "classes cannot be used"),
    "set": (lambda: {0, 1, 2}, "classes cannot be used"),
    "generator": (lambda: (i for i in range(3)), "classes cannot be used"),
    "sets": (lambda: [{1}, {2}], "classes cannot be used"),
    "bytes": (lambda: [b"a", b"b"], "classes cannot be used.*bytes"),
    "two dimensions": (lambda: [[0, 1, 2]], "classes cannot be used"),
    "sparse": (lambda: sparse.csr_array([[0, 1, 2]]), "classes cannot be used"),
    "words and numbers": (lambda: [0, "a"], "classes cannot be used.*Mix"),
    "NaN": (lambda: [0, 1, np.nan], "classes cannot be used"),
    "None among them": (lambda: [0, None, 2], "classes cannot be used"),
    "none": (list, "classes"),
    "too few": (lambda: [0, 1], "class"),
    "numbers as words": (lambda: ["0", "1", "2"], "class"),
}
if parse_version("1.7") > SKLEARN_VERSION:  # where they are deprecated
    del NO_CLASSES["bytes"]
GO_ON = ("MLPClassifier", "MLPEstimator of classes", "PerceptronClassifier")

NO_COVERAGE = [0, 1, 1.5, -0.5, np.nan, np.inf, "0.9", None, [0.5], np.array([0.5]), 1j]


def check_groups(name, make, words):
    model, y = reference(name, X)[0], target(name)
    assert_refused(model, lambda m: m.fit(X, y, groups=make()), words)
    return "refused"


def check_validation(name, given, words):
    model, y = reference(name, X)[0], target(name)
    assert_refused(model, lambda m: m.fit(X, y, **given), words)
    return "refused"


def check_no_kernels(way, kernels, words):
    model = reference("MLPClassifier", X)[0]
    if way == "coefs_init":
        assert_refused(model, lambda m: m.fit(X, CODES, coefs_init=kernels), words)
    else:
        assert_refused(model, lambda m: setattr(m, "coefs_", kernels), words)
    return "refused"


def check_kernels(way, make):
    model = MODELS["MLPClassifier"]()
    with quiet():
        if way == "coefs_init":
            expected = model.fit(X, CODES, coefs_init=KERNELS).coefs_[0].copy()
            found = model.fit(X, CODES, coefs_init=make()).coefs_[0]
        else:
            model.fit(X, CODES).coefs_ = make()
            found, expected = model.coefs_[0], KERNELS[0]
    np.testing.assert_array_equal(found, expected)
    return "worked"


def check_initial(way, given, words):
    words = words.replace("coef_init", way)
    if way == "intercept_init":
        words = words.replace(r"\(3, 3\)", r"\(3,\)").replace("contains NaN", "")
    model = reference("PerceptronClassifier", X)[0]
    assert_refused(model, lambda m: m.fit(X, CODES, **{way: given}), words)
    return "refused"


def check_classes(name, make, words):
    model = MODELS[name]()
    assert_refused(model, lambda m: m.partial_fit(X, CODES, classes=make()), words)
    assert not [attribute for attribute in vars(model) if attribute.endswith("_")]
    if make() is not None:
        with quiet():
            model.partial_fit(X, CODES, classes=[0, 1, 2])
        words = "classes.*(cannot be used|not the same)"
        assert_refused(model, lambda m: m.partial_fit(X, CODES, classes=make()), words)
    return "refused"


TABLES = {
    "groups": (check_groups, GROUPS, WITH_GROUPS),
    "validation": (check_validation, VALIDATION, WITH_GROUPS),
    "kernels": (check_no_kernels, NO_KERNELS, ("coefs_init", "coefs_")),
    "spelled kernels": (
        check_kernels,
        {k: (v,) for k, v in SPELLED_KERNELS.items()},
        ("coefs_init", "coefs_"),
    ),
    "initial": (check_initial, INITIAL, ("coef_init", "intercept_init")),
    "classes": (check_classes, NO_CLASSES, GO_ON),
}


def cases():
    """Yield a name for each case, and what runs it."""
    for table, (check, rows, models) in TABLES.items():
        yield from cases_of("argument", {table: (check, rows)}, models)


def _run(table, row):
    check, rows, models = TABLES[table]
    return set(run_row({table: (check, rows)}, models, table, row).values())


@pytest.mark.parametrize("kind", GROUPS)
def test_groups_are_checked_whether_they_are_used_or_not(kind):
    assert _run("groups", kind) == {"refused"}


@pytest.mark.parametrize("kind", VALIDATION)
def test_validation_data_are_named_where_they_do_not_fit(kind):
    assert _run("validation", kind) == {"refused"}


@pytest.mark.parametrize("kind", NO_KERNELS)
@pytest.mark.parametrize("way", ["coefs_init", "coefs_"])
def test_what_is_no_list_of_kernels_is_refused(way, kind):
    check_no_kernels(way, *NO_KERNELS[kind])


@pytest.mark.parametrize("kind", SPELLED_KERNELS)
@pytest.mark.parametrize("way", ["coefs_init", "coefs_"])
def test_kernels_may_be_spelled_in_any_way(way, kind):
    check_kernels(way, SPELLED_KERNELS[kind])


@pytest.mark.parametrize("kind", INITIAL)
@pytest.mark.parametrize("way", ["coef_init", "intercept_init"])
def test_what_a_perceptron_cannot_start_from_is_named(way, kind):
    check_initial(way, *INITIAL[kind])


@pytest.mark.parametrize("kind", NO_CLASSES)
@pytest.mark.parametrize("name", GO_ON)
def test_classes_that_are_none_are_refused_at_every_call(name, kind):
    check_classes(name, *NO_CLASSES[kind])


def test_kernels_beyond_float32_are_refused_there():
    model = MLPClassifier((4,), max_iter=1, dtype="float32")
    large = [KERNELS[0] + 1e300, KERNELS[1]]
    words = "coefs_init must be finite in float32"
    assert_refused(model, lambda m: m.fit(X, CODES, coefs_init=large), words)


def test_kernels_set_to_nan_are_told_at_predict():
    model = fitted("MLPClassifier", X, CODES)
    model.coefs_[0][...] = np.nan
    assert_refused(model, lambda m: m.predict(X), "scores are not finite.*weights")


@pytest.mark.parametrize("name", MODELS)
def test_what_asks_a_model_that_is_not_fitted_says_so(name):
    model = MODELS[name]()
    ways = {"score": (X, target(name)), "inverse_transform": (X[:, :2],)}
    names = ["predict", "predict_proba", "predict_log_proba", "decision_function"]
    names += ["transform", "predict_interval", "predict_quantiles"]
    ways |= {way: (X,) for way in names}
    ways |= {"get_feature_names_out": (), "densify": (), "sparsify": ()}
    asked = 0
    for way, args in ways.items():
        if hasattr(model, way):
            asked += 1
            with pytest.raises(NotFittedError, match="not fitted yet"):
                getattr(model, way)(*args)
    assert asked >= 2
    for attribute in ("coefs_", "classes_", "n_features_in_", "estimators_"):
        assert not hasattr(model, attribute)


@pytest.mark.parametrize("coverage", NO_COVERAGE, ids=repr)
def test_a_coverage_that_is_none_is_refused(coverage):
    words = r"coverage must lie in \(0, 1\)"
    model = reference("TabularMLPRegressor", X)[0]
    assert_refused(model, lambda m: m.predict_interval(X, coverage), words)
    with quiet():
        model = MLPRegressor("gaussian_nll", (4,), max_iter=2).fit(X, NUMBERS)
    assert_refused(model, lambda m: m.predict_interval(X, coverage), words)


def test_standard_deviations_need_a_loss_that_has_them():
    model = reference("MLPRegressor", X)[0]
    words = "return_std=True needs loss='gaussian_nll'"
    assert_refused(model, lambda m: m.predict(X, return_std=True), words)


@pytest.mark.parametrize("name", MODELS)
def test_scores_refuse_what_does_not_fit(name):
    model, y = reference(name, X)[0], target(name)
    if not hasattr(model, "score"):
        return
    assert_refused(model, lambda m: m.score(X[:, :2], y), "2 features")
    if name != "MLPAutoencoder":
        assert_refused(model, lambda m: m.score(X, y[:5]), "inconsistent numbers")
        assert_refused(model, lambda m: m.score(X, None), r"None|y_true|y\b")
    assert_refused(model, lambda m: m.score(X, y, np.ones(3)), "[sS]ample|weight")


@pytest.mark.parametrize("name", MODELS)
def test_other_features_than_before_are_refused_later(name):
    model, y = fitted(name, X, target(name)), target(name)
    if hasattr(model, "partial_fit") and name not in TABULAR:
        words = "2 features, but .* is expecting 3"
        assert_refused(model, lambda m: m.partial_fit(X[:, :2], y), words)
    with pytest.raises(TypeError, match="unexpected keyword"):
        model.fit(X, y, weight=np.ones(N))


def test_codes_of_another_width_are_no_codes():
    model = reference("MLPAutoencoder", X)[0]
    for codes, words in (
        (X, "X has 3 columns, but inverse_transform takes codes of n_components=2"),
        (X[:, 0], "X cannot be used.*2D"),
        (np.full((2, 2), "a"), "X cannot be used.*could not convert"),
        (np.full((2, 2), np.nan), "contains NaN"),
        (np.full((2, 2), np.finfo(float).max), "scores are not finite.*scale"),
    ):
        assert_refused(model, lambda m, c=codes: m.inverse_transform(c), words)


def test_an_autoencoder_answers_by_what_it_was_fitted_with():
    model = fitted("MLPAutoencoder", X, None)
    expected, codes = answers(model, X), model.transform(X)
    decoded = model.inverse_transform(codes)
    model.set_params(n_components=1, hidden_layer_sizes=(2, 2), activation="tanh")
    assert_same(answers(model, X), expected)
    np.testing.assert_array_equal(model.inverse_transform(codes), decoded)
    assert len(model.get_feature_names_out()) == 2


def test_a_perceptron_with_weights_beyond_its_dtype_is_refused():
    large = (X * 1e38).astype(np.float32)
    model = PerceptronClassifier(eta0=100.0)
    assert_refused(model, lambda m: m.fit(large, CODES), "too large for float32.*Scale")
    for given in ({"eta0": 1e308}, {"class_weight": {0: 1e308}}):
        model = PerceptronClassifier(max_iter=3).set_params(**given)
        try:
            with quiet():
                found = answers(model.fit(X, CODES), X)
        except ValueError as error:
            assert "overflow" in str(error) or "not finite" in str(error)
        else:
            assert_sound(found)


def test_a_number_weighs_all_samples_alike():
    for name in ("MLPClassifier", "PerceptronClassifier", "MLPEnsembleRegressor"):
        y = target(name)
        one = answers(fitted(name, X, y, sample_weight=1), X)
        assert_same(one, reference(name, X)[1])
