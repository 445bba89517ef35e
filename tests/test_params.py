"""Parameters of small objects are got, set and cloned as scikit-learn's are."""

from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone

from sknn._params import Params, check_in_range


@dataclass
class Inner(Params):
    rate: float = 0.5
    beta_1: float = 0.9


@dataclass
class Outer(Params):
    inner: Inner = field(default_factory=Inner)
    size: int = 3


@dataclass
class Empty(Params):
    pass


def test_fields_are_the_parameters():
    assert Inner(rate=0.25).get_params() == {"rate": 0.25, "beta_1": 0.9}
    assert Empty().get_params() == {}


def test_deep_parameters_carry_the_name_of_their_field():
    outer = Outer()
    assert outer.get_params(deep=False) == {"inner": outer.inner, "size": 3}
    assert outer.get_params() == {
        "inner": outer.inner,
        "size": 3,
        "inner__rate": 0.5,
        "inner__beta_1": 0.9,
    }


def test_set_params_works_in_place_and_returns_the_object():
    inner = Inner()
    assert inner.set_params(rate=0.1, beta_1=0.8) is inner
    assert inner == Inner(0.1, 0.8)
    assert inner.set_params() is inner


def test_set_params_reaches_into_a_field():
    outer = Outer()
    outer.set_params(inner__rate=0.1, inner__beta_1=0.2, size=4)
    assert outer == Outer(Inner(0.1, 0.2), 4)


def test_set_params_sets_a_field_before_it_reaches_into_it():
    replacement = Inner(0.1, 0.2)
    outer = Outer().set_params(inner=replacement, inner__rate=0.7)
    assert outer.inner is replacement
    assert replacement.rate == 0.7


@pytest.mark.parametrize("name", ["no_such", "rat", "no_such__rate", "inner__no_such"])
def test_an_unknown_name_is_refused_with_the_valid_ones(name):
    with pytest.raises(ValueError, match=r"no parameter '(no_such|rat)'; valid .*\["):
        Outer().set_params(**{name: 1})


def test_clone_gives_an_equal_object_of_its_own():
    outer = Outer(Inner(0.1), 7)
    twin = clone(outer)
    assert twin == outer
    assert twin is not outer
    assert twin.inner is not outer.inner


@dataclass
class Owner:
    x: object


INTERVALS = {
    "left": (True, False),
    "right": (False, True),
    "both": (True, True),
    "neither": (False, False),
}


def check_x(value, *args, **kwargs):
    check_in_range(Owner(value), "x", *args, **kwargs)


@pytest.mark.parametrize("closed", INTERVALS)
def test_the_ends_belong_to_the_range_where_it_is_closed(closed):
    for end, belongs in zip((0.0, 1.0), INTERVALS[closed], strict=True):
        if belongs:
            check_x(end, 0.0, 1.0, closed=closed)
        else:
            with pytest.raises(ValueError, match="must lie in"):
                check_x(end, 0.0, 1.0, closed=closed)


@pytest.mark.parametrize("closed", INTERVALS)
@given(x=st.floats(0.0, 1.0, exclude_min=True, exclude_max=True))
def test_numbers_inside_the_range_pass(closed, x):
    for kind in (float, np.float64):
        check_x(kind(x), 0.0, 1.0, closed=closed)


@pytest.mark.parametrize("closed", INTERVALS)
@pytest.mark.parametrize("value", [-0.1, 1.1, np.nan, np.inf, -np.inf, None, "0.5"])
def test_anything_else_is_refused(closed, value):
    with pytest.raises(ValueError, match="must lie in"):
        check_x(value, 0.0, 1.0, closed=closed)


def test_the_message_names_parameter_owner_range_and_value():
    message = r"The 'x' parameter of Owner must lie in \[0.0, 1.0\). Got 1.5 instead."
    with pytest.raises(ValueError, match=message):
        check_x(1.5, 0.0, 1.0)
    with pytest.raises(ValueError, match=r"\(0.0, 1.0\]"):
        check_x(1.5, 0.0, 1.0, closed="right")
    with pytest.raises(ValueError, match=r"\(0.0, inf\)"):
        check_x(0.0, 0.0, closed="neither")
