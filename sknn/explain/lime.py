"""Local linear explanations (LIME) of the original columns.

Turns the coefficients of local models into contributions, so that they read like
Shapley values; the fits are those of `_lime_native` or of the lime package.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sknn.explain._lime_native import SELECTIONS as SELECTIONS_IN_CLOSED_FORM
from sknn.explain._lime_native import STRIPE, Fitter, System
from sknn.explain._lime_package import Lime, perturbed_rows_named
from sknn.explain._lime_sample import Neighbourhood
from sknn.explain._local import LocalFits, local_explanation_class, wanted
from sknn.explain._problem import Problem

if TYPE_CHECKING:
    import shap

__all__ = ["lime_tabular"]

DISCRETIZERS = [None, "quartile", "decile"]
SELECTIONS = [None, "auto", "forward_selection", "highest_weights", "lasso_path"]


def lime_tabular(
    problem: Problem,
    *,
    native: bool | str = "auto",
    num_samples: int = 5000,
    num_features: int | None = None,
    feature_selection: str | None = None,
    discretizer: str | None = None,
    sample_around_instance: bool = False,
    kernel_width: float | None = None,
    distance_metric: str = "euclidean",
    categorical_features: Sequence[str] = (),
) -> shap.Explanation:
    r"""Explain each row by a ridge regression on perturbed rows around it.

    For each row x and output f, coefficients b and intercept a minimise

    .. math:: \sum_k w_k(x) (f(x_k) - a - b^T z_k)^2 + \|b\|^2, \qquad
              w_k(x) = e^{-\|z_k - z\|^2 / (2 s^2)}

    over the row and perturbed rows x_k, where z holds standardised numbers, and for a
    category or a bin whether it is the row's.

    Parameters
    ----------
    problem : Problem
        The model, the rows and the background, from which the perturbations take
        means, scales and frequencies.
    native : {"auto", True, False}, default="auto"
        Whether to draw the perturbed rows once for all rows of X and to solve the
        regressions in closed form; the lime package draws and predicts anew for every
        row, and is what False asks for. "auto" is True wherever that is possible:
        not with `sample_around_instance` or "lasso_path".
    num_samples : int, default=5000
        Perturbed rows per explained row and round, the row itself included.
    num_features : int, optional
        Columns that take part in the regression; None for all of them.
    feature_selection : str, optional
        How they are chosen: "forward_selection", "highest_weights", "lasso_path" or
        "auto" (so is None), which is the first up to 6 columns and else the second.
    discretizer : {"quartile", "decile"}, optional
        Explain numbers by the bin they fall into. None keeps them as numbers, which
        fits networks better.
    sample_around_instance : bool, default=False
        Draw numbers around the row in place of the background's mean; not for bins.
    kernel_width : float, optional
        Reach s of the neighbourhood; None for ``0.75 * sqrt(n_columns)``.
    distance_metric : str, default="euclidean"
        Distance by which perturbed rows are weighted.
    categorical_features : sequence of str, default=()
        Numeric columns to treat as categories. Strings, categories, booleans and
        dates always are.

    Returns
    -------
    explanation : shap.Explanation
        Contributions to the local model's prediction at the row: coefficient times
        standardised value for numbers, coefficient for categories and bins.
        `base_values` hold the local models' intercepts. The attributes `score_`
        (weighted R² of the local fit), `intercept_` and `local_pred_` have one entry
        per row, and are cut with the rows by slicing. So has `lime_` with lime's own
        objects, which is None for native fits; those have standard errors over the
        draw of the sample in `error_std`.

    Warns
    -----
    UserWarning
        If rows lie so far out that no perturbed row counts beside them; native only.

    Notes
    -----
    A native sample does not depend on X, and each row is fitted by itself. Bins that
    hold a single value draw that value, for which the lime package draws 0.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import LinearRegression
    >>> from sknn.explain import explain
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> model = LinearRegression().fit(X, y)
    >>> explanation = explain(
    ...     model, X[:3], background=X, method="lime", random_state=0
    ... )
    >>> explanation.score_.round(3).tolist()
    [1.0, 1.0, 1.0]
    """
    start = time.perf_counter()
    _check_choice("discretizer", discretizer, DISCRETIZERS)
    _check_choice("feature_selection", feature_selection, SELECTIONS)
    _check_count("num_samples", num_samples, least=2)
    if num_features is not None:
        _check_count("num_features", num_features, least=1)
    _refuse_idle_options(
        num_features, feature_selection, discretizer, sample_around_instance
    )
    _refuse_missing_numbers(problem)
    d = problem.X.shape[1]
    options = Options(
        num_samples=num_samples * problem.rounds,
        num_features=num_features or d,
        selection="none" if num_features is None else feature_selection or "auto",
        discretizer=discretizer,
        around=sample_around_instance,
        kernel_width=_width(kernel_width, d),
        distance_metric=distance_metric,
        categories=_categories(problem, categorical_features),
    )
    fit = _fit_native if _is_native(native, options) else _fit_by_package
    return _to_explanation(problem, fit(problem, options), start)


@dataclass(frozen=True)
class Options:
    """What was asked for, checked and with its defaults filled in."""

    num_samples: int
    num_features: int
    selection: str
    discretizer: str | None
    around: bool
    kernel_width: float
    distance_metric: str
    categories: list[int]


def _is_native(native: Any, options: Options) -> bool:
    _check_choice("native", native, ["auto", True, False])
    reasons = {
        "sample_around_instance=True": options.around,
        "feature_selection='lasso_path'": options.selection == "lasso_path",
    }
    reason = next((name for name, holds in reasons.items() if holds), None)
    if reason and native != "auto" and native:
        raise ValueError(
            f"native=True cannot be had with {reason}, which only the lime package "
            "offers; leave native at 'auto'"
        )
    return bool(native) and reason is None


def _width(kernel_width: Any, n_columns: int) -> float:
    if kernel_width is None:
        return float(0.75 * np.sqrt(n_columns))
    if not kernel_width > 0:
        raise ValueError(f"kernel_width must be greater than 0, got {kernel_width!r}")
    return float(kernel_width)


def _categories(problem: Problem, named: Sequence[str]) -> list[int]:
    """Return the positions of the columns that lime is to draw by frequency."""
    unknown = [name for name in named if name not in problem.table.names]
    if unknown or isinstance(named, str):
        raise ValueError(
            f"categorical_features must be a list of columns of X, got {named!r}"
        )
    by_name = [problem.table.names.index(name) for name in named]
    return sorted({*problem.table.coded, *by_name})


def _check_choice(name: str, value: Any, allowed: Sequence[Any]) -> None:
    if value not in allowed:
        raise ValueError(f"{name} must be one of {allowed}, got {value!r}")


def _check_count(name: str, value: Any, least: int) -> None:
    is_integer = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not is_integer or value < least:
        raise ValueError(
            f"{name} must be an integer of at least {least}, got {value!r}"
        )


def _refuse_idle_options(
    num_features: int | None,
    feature_selection: str | None,
    discretizer: str | None,
    sample_around_instance: bool,
) -> None:
    """Refuse options that would be ignored without a word."""
    if feature_selection is not None and num_features is None:
        raise ValueError(
            f"feature_selection={feature_selection!r} needs num_features, which is None"
        )
    if sample_around_instance and discretizer is not None:
        raise ValueError(
            "sample_around_instance=True does nothing for bins: give it or "
            f"discretizer={discretizer!r}, not both"
        )


def _refuse_missing_numbers(problem: Problem) -> None:
    columns = problem.table.columns
    names = [c.name for c in columns if c.has_missing and c.is_numeric]
    if names:
        raise ValueError(
            f"method='lime' cannot perturb the missing values in the columns {names}; "
            "impute them before, or use method='permutation'"
        )


Fitted = tuple[LocalFits, list[Any] | None]  # with lime's objects, if it made any


def _fit_native(problem: Problem, options: Options) -> Fitted:
    """Draw and predict one sample, and fit a local model for each row."""
    sample = Neighbourhood.draw(
        problem.background,
        options.categories,
        options.discretizer,
        options.num_samples - 1,
        problem.seed,
    )
    with perturbed_rows_named():
        drawn = problem.model(sample.codes)
    fitter = Fitter(
        sample.places,
        drawn,
        sample.nominal,
        options.kernel_width,
        options.distance_metric,
    )
    places = sample.locate(problem.X)
    fits = LocalFits.blank((*places.shape, problem.model.n_outputs))
    lonely: list[int] = []
    for rows, system in fitter.systems(places, _own_outputs(problem)):
        seen = fitter.seen(places[rows])
        lonely.extend(rows.start + np.flatnonzero(system.weight < 1))
        if options.selection == "none":
            fits.fill((rows, slice(None)), seen, system.ridge())
        else:
            _fit_chosen(problem, options, system, seen, rows.start, fits)
    fits.intercept[:] += fitter.level
    _warn_of_lonely(lonely, options.kernel_width)
    return fits, None


def _fit_chosen(
    problem: Problem,
    options: Options,
    system: System,
    seen: np.ndarray,
    start: int,
    fits: LocalFits,
) -> None:
    """Fit each row, from `start` on, and output by the columns chosen for it."""
    choose = SELECTIONS_IN_CLOSED_FORM[options.selection]
    for i, place in enumerate(seen):
        for k in wanted(problem, start + i):
            one = system.one(i, k)
            columns = choose(one, place, options.num_features)
            fits.fill((start + i, slice(k, k + 1)), place, one.ridge(columns))


def _warn_of_lonely(rows: list[int], kernel_width: float) -> None:
    if rows:
        warnings.warn(
            f"{len(rows)} of the rows, row {rows[0]} of X first, lie so far from the "
            "background that all perturbed rows together count less than the row "
            "itself: its contributions shrink towards 0, and its R² says nothing. "
            f"Raise kernel_width, which is {kernel_width:.3g}, or num_samples",
            UserWarning,
            stacklevel=5,  # the caller of explain
        )


def _own_outputs(problem: Problem) -> np.ndarray:
    """Predict the explained rows (n, C), always as many at once.

    In a batch of another size the last bits of a row could be others.
    """
    outputs = []
    for start in range(0, len(problem.X), STRIPE):
        rows = problem.X[start : start + STRIPE]
        fill = np.repeat(problem.background[:1], STRIPE - len(rows), axis=0)
        outputs.append(problem.model(np.concatenate([rows, fill]))[: len(rows)])
    return np.concatenate(outputs)


def _fit_by_package(problem: Problem, options: Options) -> Fitted:
    """Ask the lime package for each row."""
    columns = problem.table.columns
    settings = {
        "feature_names": problem.table.names,
        "class_names": problem.model.output.names,
        "categorical_features": options.categories,
        "categorical_names": {j: list(columns[j].labels) for j in problem.table.coded},
        "feature_selection": options.selection,
        "discretize_continuous": options.discretizer is not None,
        "discretizer": options.discretizer,
        "sample_around_instance": options.around,
        "kernel_width": options.kernel_width,
    }
    request = {
        "num_samples": options.num_samples,
        "num_features": options.num_features,
        "distance_metric": options.distance_metric,
    }
    lime = Lime(problem, settings, request)
    fits = LocalFits.blank((*problem.X.shape, problem.model.n_outputs))
    return fits, [lime.fit(i, fits) for i in range(len(problem.X))]


def _to_explanation(problem: Problem, fitted: Fitted, start: float) -> shap.Explanation:
    fits, lime = fitted
    values, intercept = fits.contributions, fits.intercept
    explanation = problem.to_explanation(
        values,
        intercept,
        seconds=time.perf_counter() - start,
        error_std=fits.error if lime is None else None,
        kind=local_explanation_class(),
    )
    explanation.score_ = problem.narrow(fits.score)
    explanation.intercept_ = problem.narrow(intercept)
    explanation.local_pred_ = problem.narrow(intercept + values.sum(axis=1))
    explanation.lime_ = None if lime is None else np.array(lime, dtype=object)
    return explanation
