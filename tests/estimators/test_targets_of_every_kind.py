"""Every spelling of y is what it stands for, or is refused by name."""

import re
from decimal import Decimal
from fractions import Fraction
from functools import partial

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse
from sklearn.neural_network import MLPClassifier as SklearnClassifier
from sklearn.neural_network import MLPRegressor as SklearnRegressor
from sklearn.utils.fixes import parse_version

from sknn import MLPClassifier, MLPEstimator, MLPRegressor
from sknn.estimators._sklearn import SKLEARN_VERSION
from tests.estimators.outcomes import (
    CODES,
    MODELS,
    NUMBERS,
    OF_CLASSES,
    OF_NUMBERS,
    N,
    X,
    answers,
    assert_refused,
    assert_same,
    assert_sound,
    cases_of,
    fitted,
    frozen,
    masked,
    objects,
    quiet,
    reference,
    run_row,
)

try:
    import pyarrow as pa
except ImportError:  # an optional package of pandas
    pa = None

ABC = np.array(list("abc"))[CODES]
TWO = CODES % 2
HALF = np.arange(N) % 2
INDICATOR = np.eye(3, dtype=int)[CODES]
WHOLE = NUMBERS * 8
LETTERS = ["a", "b", "c"]


def with_top(values, top):
    return objects([top, *values[1:]])


# Spelling, and the classes that come of it, in the order of the codes.
LABELS = {
    "list": (lambda: CODES.tolist(), [0, 1, 2]),
    "tuple": (lambda: tuple(CODES.tolist()), [0, 1, 2]),
    "list of strings": (lambda: ABC.tolist(), LETTERS),
    "strings": (lambda: ABC, LETTERS),
    "objects that are strings": (lambda: ABC.astype(object), LETTERS),
    "letters beyond ASCII": (
        lambda: np.array(["ß", "ä", "日"])[CODES],
        ["ß", "ä", "日"],
    ),
    "an empty string": (lambda: np.array(["", "a", "b"])[CODES], ["", "a", "b"]),
    "strings and ints of a list": (
        lambda: [["0", 1, 2][code] for code in CODES],
        ["0", "1", "2"],
    ),
    "int8": (lambda: CODES.astype(np.int8), [0, 1, 2]),
    "negative": (lambda: CODES - 1, [-1, 0, 1]),
    "far apart": (
        lambda: (CODES.astype(np.int64) - 1) * 2**62,
        [-(2**62), 0, 2**62],
    ),
    "largest uint64": (
        lambda: np.array([0, 1, 2**64 - 1], dtype=np.uint64)[CODES],
        np.array([0, 1, 2**64 - 1], dtype=np.uint64),
    ),
    "floats that are whole": (lambda: CODES.astype(float), [0.0, 1.0, 2.0]),
    "float16": (lambda: CODES.astype(np.float16), [0.0, 1.0, 2.0]),
    "longdouble": (lambda: CODES.astype(np.longdouble), [0.0, 1.0, 2.0]),
    "big-endian": (lambda: CODES.astype(">i4"), [0, 1, 2]),
    "strides": (lambda: np.repeat(CODES, 2)[::2], [0, 1, 2]),
    "negative strides": (lambda: CODES[::-1].copy()[::-1], [0, 1, 2]),
    "read-only": (lambda: frozen(CODES), [0, 1, 2]),
    "days": (
        lambda: CODES.astype("M8[D]"),
        np.arange(3).astype("M8[D]"),
    ),
    "durations": (lambda: CODES.astype("m8[D]"), np.arange(3).astype("m8[D]")),
    "pandas": (lambda: pd.Series(CODES, index=np.arange(N)[::-1]), [0, 1, 2]),
    "pandas strings": (lambda: pd.Series(ABC), LETTERS),
    "pandas string dtype": (lambda: pd.Series(ABC, dtype="string"), LETTERS),
    "pandas Int64": (lambda: pd.Series(CODES, dtype="Int64"), [0, 1, 2]),
    "pandas Float64": (lambda: pd.Series(CODES, dtype="Float64"), [0, 1, 2]),
    "pandas categories": (lambda: pd.Series(pd.Categorical(ABC)), LETTERS),
    "pandas Categorical": (lambda: pd.Categorical(ABC), LETTERS),
    "pandas unused category": (
        lambda: pd.Series(pd.Categorical(ABC, categories=list("abcd"))),
        LETTERS,
    ),
    "pandas index": (lambda: pd.Index(ABC), LETTERS),
    "polars": (lambda: pl.Series(CODES.tolist()), [0, 1, 2]),
    "polars strings": (lambda: pl.Series(ABC.tolist()), LETTERS),
    "polars categories": (
        lambda: pl.Series(ABC.tolist(), dtype=pl.Categorical),
        LETTERS,
    ),
}
if pa is not None:
    LABELS |= {
        "pandas arrow": (lambda: pd.Series(CODES, dtype="int64[pyarrow]"), [0, 1, 2]),
        "pandas arrow strings": (
            lambda: pd.Series(ABC, dtype="string[pyarrow]"),
            LETTERS,
        ),
        "pyarrow": (lambda: pa.array(CODES.tolist()), [0, 1, 2]),
        "pyarrow chunks": (lambda: pa.chunked_array([ABC.tolist()]), LETTERS),
    }

UNKNOWN = "y.*(Unknown label type|must be|[Dd]im|1d array|array-like|legacy)"
NO_LABELS = {
    "None": (lambda: None, "requires y to be passed"),
    "a number": (lambda: 1, UNKNOWN),
    "a string": (lambda: "abc", UNKNOWN),
    "no dimension": (lambda: np.array(1), UNKNOWN),
    "three dimensions": (lambda: CODES[:, None, None], UNKNOWN),
    "dict": (lambda: {"a": 1}, UNKNOWN),
    "generator": (lambda: (code for code in CODES), UNKNOWN),
    "ragged": (lambda: [[1], [1, 2]] * 12, "y.*inhomogeneous"),
    "list of sets": (lambda: [{1}, {2}] * 12, UNKNOWN),
    "tuples": (lambda: objects([(1, 2), (3, 4)] * 12), UNKNOWN),
    "empty": (list, r"inconsistent numbers of samples: \[24, 0\]"),
    "too short": (lambda: CODES[:-1], r"inconsistent numbers of samples: \[24, 23\]"),
    "too long": (lambda: np.append(CODES, 0), r"of samples: \[24, 25\]"),
    "one row": (lambda: CODES[None], "Multioutput target data|1d array"),
    "bytes": (lambda: ABC.astype("S"), "y.*labels represented as bytes"),
    "objects that are bytes": (
        lambda: ABC.astype("S").astype(object),
        "y.*labels represented as bytes",
    ),
    "objects that are ints": (lambda: CODES.astype(object), UNKNOWN),
    "objects that are bools": (lambda: (CODES > 0).astype(object), UNKNOWN),
    "objects that are Decimal": (
        lambda: objects(map(Decimal, CODES.tolist())),
        UNKNOWN,
    ),
    "ints beyond 64 bits": (lambda: objects(10**30 * int(c) for c in CODES), UNKNOWN),
    "strings and ints": (lambda: with_top(ABC, 1), "y.*(Unknown label type|supported)"),
    "fractions": (lambda: CODES + 0.5, "Unknown label type: continuous"),
    "NaN": (lambda: np.where(CODES == 1, np.nan, CODES), "y contains NaN"),
    "infinity": (lambda: np.where(CODES == 1, np.inf, CODES), "y contains infinity"),
    "NaN among objects": (lambda: with_top(ABC, np.nan), "y.*contains NaN"),
    "None among objects": (lambda: with_top(ABC, None), "y.*cannot be used"),
    "None in a list": (lambda: [None, *CODES[1:].tolist()], UNKNOWN),
    "pandas NA among objects": (lambda: with_top(ABC, pd.NA), "y.*cannot be used"),
    "pandas Int64 NA": (
        lambda: pd.Series([None, *CODES[1:]], dtype="Int64"),
        "y contains NaN",
    ),
    "pandas string NA": (
        lambda: pd.Series([None, *ABC[1:]], dtype="string"),
        "y.*(cannot be used|contains NaN)",
    ),
    "pandas boolean NA": (
        lambda: pd.Series([None, *(CODES[1:] > 0)], dtype="boolean"),
        "y.*(cannot be used|contains NaN)",
    ),
    "polars null": (lambda: pl.Series([None, *CODES[1:].tolist()]), "y contains NaN"),
    "polars lazy": (lambda: pl.DataFrame({"y": CODES}).lazy(), r"y\.collect\(\)"),
    "complex": (lambda: CODES.astype(complex), "Complex data not supported"),
    "masked": (lambda: masked(CODES), r"y is masked in places"),
    "records": (lambda: np.rec.fromarrays([CODES], names="a"), "y is a structured"),
    "two columns of labels": (
        lambda: np.c_[CODES, CODES],
        "Multioutput target data|1d array",
    ),
    "two columns of strings": (
        lambda: np.c_[ABC, ABC],
        "Multioutput target data|1d array",
    ),
    "numbers": (lambda: NUMBERS, "Unknown label type: continuous"),
    "columns of numbers": (
        lambda: np.c_[NUMBERS, NUMBERS],
        "continuous-multioutput|1d array",
    ),
    "an indicator of 0 and 2": (lambda: INDICATOR * 2, "from 0 to 1|1d array"),
    "an indicator of -1 and 1": (lambda: INDICATOR * 2 - 1, "from 0 to 1|1d array"),
    "an indicator of objects": (lambda: INDICATOR.astype(object), UNKNOWN),
    "an indicator too short": (
        lambda: INDICATOR[:-1],
        r"of samples: \[24, 23\]|1d array",
    ),
    "a sparse column": (
        lambda: sparse.csr_array(HALF[:, None]),
        "Sparse data was passed for y",
    ),
}

if parse_version("1.7") > SKLEARN_VERSION:  # where they are deprecated
    del NO_LABELS["bytes"], NO_LABELS["objects that are bytes"]

INDICATORS = {
    "list": lambda: INDICATOR.tolist(),
    "float": lambda: INDICATOR.astype(float),
    "bool": lambda: INDICATOR.astype(bool),
    "Fortran order": lambda: np.asfortranarray(INDICATOR),
    "pandas": lambda: pd.DataFrame(INDICATOR),
    "polars": lambda: pl.DataFrame(INDICATOR, schema=LETTERS),
    "csr": lambda: sparse.csr_array(INDICATOR),
    "csr matrix": lambda: sparse.csr_matrix(INDICATOR),
    "csc": lambda: sparse.csc_array(INDICATOR),
    "coo": lambda: sparse.coo_array(INDICATOR),
    "lil": lambda: sparse.lil_array(INDICATOR),
    "dok": lambda: sparse.dok_array(INDICATOR),
    "bsr": lambda: sparse.bsr_array(INDICATOR),
    "csr stored zeros": lambda: sparse.csr_array(
        (
            np.append(np.ones(N, int), 0),
            (np.append(np.arange(N), 0), np.append(CODES, 1)),
        ),
        shape=(N, 3),
    ),
}

NUMBER_SPELLINGS = {
    "list": (lambda: NUMBERS.tolist(), NUMBERS),
    "objects": (lambda: NUMBERS.astype(object), NUMBERS),
    "objects that are strings": (
        lambda: NUMBERS.astype(str).astype(object),
        NUMBERS,
    ),
    "Decimal": (lambda: objects(map(Decimal, NUMBERS.tolist())), NUMBERS),
    "Fraction": (lambda: objects(map(Fraction, NUMBERS.tolist())), NUMBERS),
    "int64": (lambda: WHOLE.astype(np.int64), WHOLE),
    "int8": (lambda: WHOLE.astype(np.int8), WHOLE),
    "bool": (lambda: HALF > 0, HALF.astype(float)),
    "float16": (lambda: NUMBERS.astype(np.float16), NUMBERS),
    "longdouble": (lambda: NUMBERS.astype(np.longdouble), NUMBERS),
    "big-endian": (lambda: NUMBERS.astype(">f8"), NUMBERS),
    "strides": (lambda: np.repeat(NUMBERS, 2)[::2], NUMBERS),
    "negative strides": (lambda: NUMBERS[::-1].copy()[::-1], NUMBERS),
    "read-only": (lambda: frozen(NUMBERS), NUMBERS),
    "pandas": (lambda: pd.Series(NUMBERS, index=np.arange(N)[::-1]), NUMBERS),
    "pandas Float64": (lambda: pd.Series(NUMBERS, dtype="Float64"), NUMBERS),
    "pandas categories": (lambda: pd.Series(pd.Categorical(NUMBERS)), NUMBERS),
    "polars": (lambda: pl.Series(NUMBERS.tolist()), NUMBERS),
    "two columns": (lambda: np.c_[NUMBERS, WHOLE].tolist(), np.c_[NUMBERS, WHOLE]),
    "two columns in Fortran order": (
        lambda: np.asfortranarray(np.c_[NUMBERS, WHOLE]),
        np.c_[NUMBERS, WHOLE],
    ),
    "two columns of bools": (
        lambda: np.c_[HALF, TWO] > 0,
        np.c_[HALF, TWO].astype(float),
    ),
    "two columns of a frame": (
        lambda: pd.DataFrame({"a": NUMBERS, "b": WHOLE}),
        np.c_[NUMBERS, WHOLE],
    ),
    "two columns of polars": (
        lambda: pl.DataFrame({"a": NUMBERS, "b": WHOLE}),
        np.c_[NUMBERS, WHOLE],
    ),
}
if pa is not None:
    NUMBER_SPELLINGS |= {
        "pandas arrow": (lambda: pd.Series(NUMBERS, dtype="float64[pyarrow]"), NUMBERS),
        "pyarrow": (lambda: pa.array(NUMBERS.tolist()), NUMBERS),
    }

NO_NUMBERS = {
    "None": (lambda: None, "requires y to be passed"),
    "a number": (lambda: 1.0, "y.*at least 1 dimension"),
    "a string": (lambda: "abc", "y.*bytes/strings"),
    "dict": (lambda: {"a": 1}, "y.*at least 1 dimension"),
    "generator": (lambda: (y for y in NUMBERS), "y.*at least 1 dimension"),
    "ragged": (lambda: [[1.0], [1.0, 2.0]] * 12, "y.*inhomogeneous"),
    "three dimensions": (lambda: NUMBERS[:, None, None], "y.*dim 3"),
    "no columns": (lambda: np.zeros((N, 0)), r"y.*0 feature\(s\)"),
    "empty": (list, r"y.*0 sample\(s\)"),
    "too short": (lambda: NUMBERS[:-1], r"of samples: \[24, 23\]"),
    "one row": (lambda: NUMBERS[None], r"of samples: \[24, 1\]"),
    "strings": (lambda: NUMBERS.astype(str), "y.*bytes/strings"),
    "bytes": (lambda: NUMBERS.astype("S"), "y.*bytes/strings"),
    "words": (lambda: ABC.astype(object), "y.*could not convert string to float: 'a'"),
    "categories of words": (
        lambda: pd.Series(pd.Categorical(ABC)),
        "y.*could not convert string to float: 'a'",
    ),
    "NaN": (lambda: np.where(HALF, np.nan, NUMBERS), "y contains NaN"),
    "infinity": (lambda: np.where(HALF, np.inf, NUMBERS), "y contains infinity"),
    "None among objects": (lambda: with_top(NUMBERS, None), "y contains NaN"),
    "pandas Float64 NA": (
        lambda: pd.Series([None, *NUMBERS[1:]], dtype="Float64"),
        "y contains NaN",
    ),
    "pandas NA among objects": (lambda: with_top(NUMBERS, pd.NA), "y.*NAType"),
    "polars null": (lambda: pl.Series([None, *NUMBERS[1:].tolist()]), "y contains NaN"),
    "complex": (lambda: NUMBERS.astype(complex), "Complex data not supported"),
    "masked": (lambda: masked(NUMBERS), "y is masked in places"),
    "records": (lambda: np.rec.fromarrays([NUMBERS], names="a"), "y is a structured"),
    "sparse": (lambda: sparse.csr_array(np.c_[NUMBERS, WHOLE]), "Sparse data.*for y"),
    "an int beyond float64": (lambda: [10**400] * N, "y.*too large"),
    "longdouble beyond float64": (
        lambda: NUMBERS.astype(np.longdouble) * np.longdouble("1e4000"),
        "y contains infinity or a value too large",
    ),
}

# Numbers at the ends of what there is.
EXTREME_NUMBERS = {
    "1e300": lambda: NUMBERS * 1e300,
    "largest float64": lambda: np.where(HALF, 1, -1) * np.finfo(float).max,
    "largest float32": lambda: (
        np.where(HALF, 1, -1) * np.finfo(np.float32).max
    ).astype(np.float32),
    "subnormal": lambda: NUMBERS * 5e-324,
    "largest uint64": lambda: np.full(N, 2**64 - 1, dtype=np.uint64),
    "smallest int64": lambda: np.full(N, -(2**63)),
    "constant": lambda: np.ones(N),
    "zeros": lambda: np.zeros(N),
}


def check_labels(name, make, classes):
    """Labels come back as they were, with the probabilities of their codes."""
    _, expected = reference(name, X)
    model = fitted(name, X, make())
    found = answers(model, X)
    if name != "MLPTransformer":
        classes = np.asarray(classes)
        assert model.classes_.tolist() == classes.tolist()
        expected = {**expected, "predict": classes[expected["predict"]]}
        found["predict"] = found["predict"].astype(classes.dtype)
        assert model.score(X, make()) == np.mean(expected["predict"] == classes[CODES])
    assert_same(found, expected)
    return "worked"


def check_refused(name, make, words):
    model = MODELS[name]()
    assert_refused(model, lambda m: m.fit(X, make()), words)
    assert not [attribute for attribute in vars(model) if attribute.endswith("_")]
    model, _ = reference(name, X)
    assert_refused(model, lambda m: m.fit(X, make()), words)
    return "refused"


def check_indicator(name, make):
    """Indicators are learned in every form, but by the perceptron."""
    if name == "PerceptronClassifier":
        return check_refused(name, make, "1d array|Sparse data was passed for y")
    expected = answers(fitted(name, X, INDICATOR), X)
    assert_same(answers(fitted(name, X, make()), X), expected)
    return "worked"


def check_numbers(name, make, plain):
    """A fit on a spelling equals that on plain numbers."""
    expected = answers(fitted(name, X, plain), X)
    model = fitted(name, X, make())
    assert_same(answers(model, X), expected)
    return "worked"


def check_extreme(name, make):
    """Extreme numbers give finite answers, or one error that says what helps."""
    try:
        found = answers(fitted(name, X, make()), X)
    except ValueError as error:
        assert re.search("[Ss]cale|normalize_y", str(error)), error
        return "refused"
    assert_sound(found)
    return "worked"


TABLES_OF_CLASSES = {
    "labels": (check_labels, LABELS),
    "no labels": (check_refused, NO_LABELS),
    "indicator": (check_indicator, {k: (v,) for k, v in INDICATORS.items()}),
}
TABLES_OF_NUMBERS = {
    "numbers": (check_numbers, NUMBER_SPELLINGS),
    "no numbers": (check_refused, NO_NUMBERS),
    "extreme": (check_extreme, {k: (v,) for k, v in EXTREME_NUMBERS.items()}),
}
CLASSIFYING = [*OF_CLASSES, "MLPTransformer"]


def cases():
    """Yield a name for each case, and what runs it."""
    yield from cases_of("y", TABLES_OF_CLASSES, CLASSIFYING)
    yield from cases_of("y", TABLES_OF_NUMBERS, OF_NUMBERS)


classes, numbers = (
    partial(run_row, TABLES_OF_CLASSES, CLASSIFYING),
    partial(run_row, TABLES_OF_NUMBERS, OF_NUMBERS),
)


@pytest.mark.parametrize("spelling", LABELS)
def test_labels_come_back_as_they_were_given(spelling):
    assert set(classes("labels", spelling).values()) == {"worked"}


@pytest.mark.parametrize("kind", NO_LABELS)
def test_what_is_no_label_is_refused_by_name(kind):
    assert set(classes("no labels", kind).values()) == {"refused"}


@pytest.mark.parametrize("form", INDICATORS)
def test_indicators_are_learned_in_every_form(form):
    found = classes("indicator", form)
    assert found.pop("PerceptronClassifier", "refused") == "refused"
    assert set(found.values()) == {"worked"}


@pytest.mark.parametrize("spelling", NUMBER_SPELLINGS)
def test_numbers_are_learned_in_every_spelling(spelling):
    assert set(numbers("numbers", spelling).values()) == {"worked"}


@pytest.mark.parametrize("kind", NO_NUMBERS)
def test_what_is_no_number_is_refused_by_name(kind):
    assert set(numbers("no numbers", kind).values()) == {"refused"}


@pytest.mark.parametrize("kind", EXTREME_NUMBERS)
def test_extreme_targets_give_finite_answers_or_one_error(kind):
    assert set(numbers("extreme", kind).values()) <= {"worked", "refused"}


def test_scikit_learn_takes_and_refuses_the_same_targets():
    def takes(kind, make):
        model = kind(hidden_layer_sizes=(4,), max_iter=2, random_state=0)
        try:
            with quiet(), np.errstate(all="ignore"):
                model.fit(X, make())
        except (TypeError, ValueError, OverflowError):
            return False
        return True

    def differ(tables, ours, theirs):
        makes = {name: row[0] for table in tables for name, row in table.items()}
        makes.pop("polars lazy", None)  # of which older versions warn
        return {
            n for n, make in makes.items() if takes(ours, make) != takes(theirs, make)
        }

    # docs/deviations.md has these
    of_classes = differ((LABELS, NO_LABELS), MLPClassifier, SklearnClassifier)
    assert of_classes == {
        "masked",
        "an indicator of 0 and 2",
        "an indicator of -1 and 1",
    }
    of_numbers = differ((NUMBER_SPELLINGS, NO_NUMBERS), MLPRegressor, SklearnRegressor)
    assert of_numbers == {"masked", "sparse", "longdouble beyond float64"}


def test_two_of_one_class_and_two_of_another_are_enough():
    y = np.array(["b", "a", "b", "a"])
    for name in OF_CLASSES:
        model = fitted(name, X[:4], y)
        assert model.classes_.tolist() == ["a", "b"]
        assert set(model.predict(X)) <= {"a", "b"}


def test_a_single_class_is_certain_and_refused_by_the_perceptron():
    y = np.full(N, "only")
    for name in OF_CLASSES:
        if name == "PerceptronClassifier":
            check_refused(
                name, lambda: y, "number of classes has to be greater than one"
            )
            continue
        model = fitted(name, X, y)
        assert set(model.predict(X)) == {"only"}
        np.testing.assert_array_equal(model.predict_proba(X), np.ones((N, 1)))


@pytest.mark.parametrize("name", [n for n in OF_CLASSES if "Ensemble" not in n][:3])
def test_labels_that_were_not_named_are_refused_later(name):
    model = MODELS[name]()
    with quiet():
        model.partial_fit(X, CODES, classes=[0, 1, 2])
    assert_refused(model, lambda m: m.partial_fit(X, CODES + 1), "classes.*3")
    assert_refused(model, lambda m: m.partial_fit(X, ABC), "classes")
    model = fitted(name, X, CODES).set_params(warm_start=True)
    if name != "PerceptronClassifier":
        assert_refused(model, lambda m: m.fit(X, CODES + 1), "same classes as in")
    assert_refused(model, lambda m: m.fit(X[:, :2], CODES), "2 features|shape")


def test_an_unnamed_task_says_what_it_cannot_read():
    for y in ([[1], [1, 2]] * 12, objects([{1}, {2}] * 12), {"a": 1}, None):
        model = MLPEstimator((4,), max_iter=1)
        assert_refused(model, lambda m, y=y: m.fit(X, y), r"\by\b")
        assert not hasattr(model, "task_")
