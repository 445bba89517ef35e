"""The one function for users, and the table of explanation methods.

Checks what it is given, puts it into a `Problem` and asks a method; computes no
explanation.
"""

from __future__ import annotations

import inspect
import numbers
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from sknn.explain._alignment import (
    align,
    as_fitted,
    choose_background,
    column_names,
    fitted_names,
)
from sknn.explain._optional import require
from sknn.explain._outputs import raw_output, select_outputs
from sknn.explain._players import players_of
from sknn.explain._problem import CodedModel, Problem
from sknn.explain._seeds import seed_of
from sknn.explain._table import Table, encode
from sknn.explain._transformed import open_pipeline
from sknn.explain.kernel import kernel
from sknn.explain.lime import lime_tabular
from sknn.explain.native.choice import choose_method
from sknn.explain.native.deep import deep, linear
from sknn.explain.native.exact import exact
from sknn.explain.native.gradients import (
    expected_gradients,
    gradient,
    integrated_gradients,
)
from sknn.explain.native.walks import permutation
from sknn.explain.shapley import SHAP_METHODS, shap_method

if TYPE_CHECKING:
    import shap

__all__ = ["METHODS", "explain"]

# One row per explainer: a function of a Problem and of keywords of its own, which
# returns Problem.to_explanation(...).
METHODS: dict[str, Callable[..., shap.Explanation]] = {
    "linear": linear,
    "exact": exact,
    "permutation": permutation,
    "kernel": kernel,
    "deep": deep,
    "expected_gradients": expected_gradients,
    "integrated_gradients": integrated_gradients,
    "gradient": gradient,
    "lime": lime_tabular,
}


def explain(
    estimator: Any,
    X: Any,
    *,
    background: Any = None,
    method: str = "auto",
    output: str = "auto",
    target: Any = None,
    groups: Any = "columns",
    rounds: int = 1,
    tol: float | None = None,
    dtype: Any = None,
    random_state: int | np.random.Generator | np.random.RandomState | None = None,
    **method_options: Any,
) -> shap.Explanation:
    r"""Explain predictions by the columns that the user gave the model.

    Each value says how much a column moved the output of a row away from its mean over
    the background. With Shapley values they add up to it exactly:

    .. math:: f(x) = \phi_0 + \sum_j \phi_j(x), \qquad
              \phi_0 = \frac{1}{B} \sum_b f(b)

    Any fitted scikit-learn classifier, regressor or pipeline will do. Rows pass through
    the whole pipeline, so that an encoded category or a scaled number is explained as
    the one column it came from. A network of sknn or of scikit-learn, or a linear
    model, at the end is explained from within, hundreds of times faster than a black
    box, wherever the steps before it pass the columns through one by one.

    Parameters
    ----------
    estimator : estimator or Pipeline
        A fitted model; a pipeline together with its preprocessing.
    X : array, sparse matrix, pandas or polars DataFrame of shape (n, d)
        The rows to explain. The columns of a frame are matched by name.
    background : like X, of shape (B, d), optional
        The rows to compare with, all of which are used; 100 rows of the training data
        are a good choice. None takes 100 rows of X and warns.
    method : str, default="auto"
        Shapley values: "linear" of linear models; "exact" by all coalitions of up to 16
        columns; "permutation" by random walks, unbiased and with standard errors;
        "kernel" by a regression on coalitions. From within a network, and biased:
        "deep" (DeepLIFT), "expected_gradients", "integrated_gradients", "gradient".
        "lime" fits a linear model around each row (the package lime is needed for
        ``native=False`` only). "shap:Exact", "shap:Permutation" and
        so on are shap's own explainers. "auto" is "linear" where that is exact, "exact"
        for up to ten columns, else "permutation".
    output : {"auto", "margin", "probability", "prediction"}, default="auto"
        The number that is explained: of ``decision_function``, of ``predict_proba``,
        or of a regressor's ``predict``. "auto" is the first of them that there is.
    target : label, int, list or "predicted", optional
        The classes or outputs to explain, by their label or else by their index;
        "predicted" takes for each row the class predicted for it. None explains all
        classes, or the margin of ``classes_[1]`` if there are two.
    groups : {"columns", "transformed"} or dict, default="columns"
        What shares the output: the columns of X; groups of them, as in ``{"place":
        ["town", "street"]}``, with the others on their own; or the columns that the
        last step of a pipeline sees.
    rounds : int, default=1
        How much work to spend. One round is 2 pairs of walks from each background row
        (more from few rows) for "permutation", `num_samples` perturbed rows for "lime".
        Errors shrink with its square root.
    tol : float, optional
        Largest standard error for "permutation" to go on to, in units of the output.
    dtype : {None, "float32", "float64"}, default=None
        Precision of methods that work within a network; None is float64.
    random_state : int, Generator or RandomState, optional
        Seed of all random draws. The same int gives the same explanation to the bit,
        whatever other rows X holds. NumPy's global generator is never touched.
    **method_options
        Keywords of the method; see `sknn.explain.lime.lime_tabular`.

    Returns
    -------
    explanation : shap.Explanation
        `values` of shape (n, d) for one output and (n, d, outputs) for several,
        `base_values` of shape (n,) or (n, outputs), with `feature_names` and
        `output_names`, the latter in the order of ``classes_``. `data` holds numbers,
        for columns of other types the place of the value among its sorted values;
        `display_data` then holds the values as text. All of ``shap.plots`` draw it;
        those for one output want ``explanation[:, :, "label"]``.

    Raises
    ------
    ValueError
        If a parameter, a column or a value does not fit the model or the method.
    ImportError
        If shap or lime is not installed.

    Warns
    -----
    UserWarning
        If rows of X serve as the background, or a large background will take long.

    Notes
    -----
    Shapley values here are interventional: a hidden column takes its values from the
    background rows, whatever the other columns are [1]_. LIME's contributions add up
    to the prediction of the local model, not of the network: look at its R² in
    ``explanation.score_`` first [2]_.

    References
    ----------
    .. [1] Lundberg and Lee, "A Unified Approach to Interpreting Model Predictions",
           NeurIPS 2017, equation 8.
    .. [2] Ribeiro, Singh and Guestrin, "Why Should I Trust You? Explaining the
           Predictions of Any Classifier", KDD 2016, equation 1.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import LinearRegression
    >>> from sknn.explain import explain
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> model = LinearRegression().fit(X, y)
    >>> explanation = explain(model, X[:3], background=X[100:200], random_state=0)
    >>> explanation.values.shape
    (3, 10)
    >>> total = explanation.values.sum(axis=1) + explanation.base_values
    >>> bool(abs(total - model.predict(X[:3])).max() < 1e-8)
    True
    """
    name = _method_name(method)
    _check_options(name, method_options)
    _check_settings(name, rounds, tol, dtype)
    require("shap")
    seed = seed_of(random_state)
    X = align(estimator, X, "X", fitted_names(estimator))
    draw_seed = 0 if random_state is None else seed  # base values do not jump by chance
    background = choose_background(estimator, X, background, draw_seed)
    names = column_names(estimator, X)
    if isinstance(groups, str) and groups == "transformed":
        estimator, found, (X, background) = open_pipeline(estimator, X, background)
        names, groups = found or column_names(estimator, X), "columns"
    settings = {
        "rounds": int(rounds),
        "seed": seed,
        "dtype": np.dtype(np.float64 if dtype is None else dtype),
        "tol": tol,
        "groups": players_of(groups, names),
    }
    problem = _make_problem(estimator, X, background, names, output, target, settings)
    if name == "auto":
        name = choose_method(problem)
    if name == "lime" and not problem.players.are_columns:
        raise ValueError("method='lime' explains single columns: groups must be them")
    return _function(name)(problem, **method_options)


def _make_problem(
    estimator: Any,
    X: Any,
    background: Any,
    names: list[str],
    output: str,
    target: Any,
    settings: dict[str, Any],
) -> Problem:
    raw = raw_output(estimator, output)
    table, background, X = encode(*as_fitted(estimator, background, X), names)
    with _missing_values_named(table):
        probe = raw(table.decode(background))
        raw(table.decode(X))
    chosen = select_outputs(raw, probe, target)
    per_row = chosen.per_row(table.decode(X))
    problem = Problem(CodedModel(chosen, table), background, X, per_row, **settings)
    problem.found["background outputs"] = chosen.of_raw(probe)
    return problem


def _method_name(method: str) -> str:
    if isinstance(method, str) and method.startswith("shap:"):
        shap_method(method)  # raises where there is no such explainer
    elif method != "auto" and method not in METHODS:
        raise ValueError(
            f"method must be 'auto' or one of {[*METHODS, *SHAP_METHODS]}, got "
            f"{method!r}"
        )
    return method


def _function(name: str) -> Callable[..., shap.Explanation]:
    return shap_method(name) if name.startswith("shap:") else METHODS[name]


def _check_options(name: str, options: dict[str, Any]) -> None:
    if name == "auto":
        if options:
            raise TypeError(f"method='auto' takes no options, got {sorted(options)}")
        return
    parameters = inspect.signature(_function(name)).parameters.values()
    known = [p.name for p in parameters if p.kind is p.KEYWORD_ONLY]
    unknown = sorted(set(options) - set(known))
    if unknown:
        raise TypeError(f"method={name!r} takes the options {known}, got {unknown}")


def _check_settings(name: str, rounds: Any, tol: Any, dtype: Any) -> None:
    is_integer = isinstance(rounds, numbers.Integral) and not isinstance(rounds, bool)
    if not is_integer or rounds < 1:
        raise ValueError(f"rounds must be an integer of at least 1, got {rounds!r}")
    is_number = isinstance(tol, numbers.Real) and not isinstance(tol, bool)
    if tol is not None and (not is_number or not tol > 0):
        raise ValueError(f"tol must be None or a number above 0, got {tol!r}")
    if tol is not None and name not in ("auto", "permutation"):
        raise ValueError(
            f"tol={tol!r} is a standard error for method='permutation' to reach; "
            f"method={name!r} has none"
        )
    try:
        is_float = dtype is None or np.dtype(dtype) in (np.float32, np.float64)
    except TypeError:
        is_float = False
    if not is_float:
        raise ValueError(f"dtype must be None, 'float32' or 'float64', got {dtype!r}")


@contextmanager
def _missing_values_named(table: Table) -> Iterator[None]:
    """Name the columns with missing values if the model refuses them."""
    try:
        yield
    except ValueError as error:
        if not table.missing:
            raise
        raise ValueError(
            "the model does not take these rows, perhaps for the missing values in the "
            f"columns {table.missing}: put an imputer into the pipeline"
        ) from error
