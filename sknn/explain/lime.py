"""Local linear explanations (LIME) of the original columns, through the lime package.

Turns lime's coefficients into contributions, so that they read like Shapley values;
the fit around each row is lime's own.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from sklearn.linear_model import Ridge

from sknn.explain._local import local_explanation_class
from sknn.explain._optional import require
from sknn.explain._problem import CodedModel, Problem

if TYPE_CHECKING:
    import shap

__all__ = ["lime_tabular"]

DISCRETIZERS = [None, "quartile", "decile"]
SELECTIONS = [None, "auto", "forward_selection", "highest_weights", "lasso_path"]


def lime_tabular(
    problem: Problem,
    *,
    num_samples: int = 5000,
    num_features: int | None = None,
    feature_selection: str | None = None,
    discretizer: str | None = None,
    sample_around_instance: bool = False,
    kernel_width: float | None = None,
    distance_metric: str = "euclidean",
    categorical_features: Sequence[str] = (),
) -> shap.Explanation:
    """Explain each row by a ridge regression on perturbed rows around it.

    Parameters
    ----------
    problem : Problem
        The model, the rows and the background, from which the perturbations take
        means, scales and frequencies.
    num_samples : int, default=5000
        Perturbed rows per explained row and round.
    num_features : int, optional
        Columns that take part in the regression; None for all of them.
    feature_selection : str, optional
        How lime chooses them: "auto" (so does None), "forward_selection",
        "highest_weights" or "lasso_path".
    discretizer : {"quartile", "decile"}, optional
        Explain numbers by the bin they fall into. None keeps them as numbers, which
        fits networks better.
    sample_around_instance : bool, default=False
        Draw numbers around the row in place of the background's mean; not for bins.
    kernel_width : float, optional
        Reach of the neighbourhood; None for ``0.75 * sqrt(n_columns)``.
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
        (weighted R² of the local fit), `intercept_`, `local_pred_` and `lime_` (lime's
        own objects) have one entry per row, and are cut with the rows by slicing.
    """
    start = time.perf_counter()
    _check_choice("discretizer", discretizer, DISCRETIZERS)
    _check_choice("feature_selection", feature_selection, SELECTIONS)
    _check_count("num_samples", num_samples)
    if num_features is not None:
        _check_count("num_features", num_features)
    _refuse_idle_options(
        num_features, feature_selection, discretizer, sample_around_instance
    )
    _refuse_missing_numbers(problem)
    settings = {
        "feature_names": problem.table.names,
        "class_names": problem.model.output.names,
        "categorical_features": _categories(problem, categorical_features),
        "categorical_names": _category_names(problem),
        "feature_selection": (
            "none" if num_features is None else feature_selection or "auto"
        ),
        "discretize_continuous": discretizer is not None,
        "discretizer": discretizer,
        "sample_around_instance": sample_around_instance,
        "kernel_width": kernel_width,
    }
    request = {
        "num_samples": num_samples * problem.rounds,
        "num_features": num_features or problem.X.shape[1],
        "distance_metric": distance_metric,
    }
    lime = Lime(problem, settings, request)
    fits = [lime.fit(i) for i in range(len(problem.X))]
    return _to_explanation(problem, fits, time.perf_counter() - start)


def _categories(problem: Problem, named: Sequence[str]) -> list[int]:
    """Return the positions of the columns that lime is to draw by frequency."""
    unknown = [name for name in named if name not in problem.table.names]
    if unknown or isinstance(named, str):
        raise ValueError(
            f"categorical_features must be a list of columns of X, got {named!r}"
        )
    by_name = [problem.table.names.index(name) for name in named]
    return sorted({*problem.table.coded, *by_name})


def _category_names(problem: Problem) -> dict[int, list[str]]:
    columns = problem.table.columns
    return {j: list(columns[j].labels) for j in problem.table.coded}


def _check_choice(name: str, value: Any, allowed: Sequence[Any]) -> None:
    if value not in allowed:
        raise ValueError(f"{name} must be one of {allowed}, got {value!r}")


def _check_count(name: str, value: Any) -> None:
    if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{name} must be an integer of at least 1, got {value!r}")


def _refuse_idle_options(
    num_features: int | None,
    feature_selection: str | None,
    discretizer: str | None,
    sample_around_instance: bool,
) -> None:
    """Refuse options that lime would ignore without a word."""
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


class LocalFit(NamedTuple):
    """What lime found around one row, by output; NaN where none was asked for."""

    contributions: np.ndarray  # (d, C)
    intercept: np.ndarray  # (C,)
    score: np.ndarray  # (C,)
    local_pred: np.ndarray  # (C,)
    lime: Any


@dataclass(frozen=True)
class Lime:
    """lime's tabular explainer with its settings, made anew for every row.

    An explainer's generator would otherwise carry what earlier rows drew to the next.
    """

    problem: Problem
    settings: dict[str, Any]  # of lime's explainer
    request: dict[str, Any]  # of each explanation

    def fit(self, i: int) -> LocalFit:
        """Explain row i."""
        problem, row, seed = self.problem, self.problem.X[i], self.problem.row_seed(i)
        explainer = require("lime.lime_tabular").LimeTabularExplainer(
            problem.background,
            mode="classification" if problem.model.n_outputs > 1 else "regression",
            random_state=np.random.RandomState(seed),
            **self.settings,
        )
        every = range(problem.model.n_outputs)
        outputs = every if problem.chosen is None else [int(problem.chosen[i])]
        surrogate = RecordingRidge(alpha=1.0)
        found = self._ask(explainer, row, outputs, surrogate)
        found.random_state = seed  # its HTML would draw from the global generator
        scaled = (row - explainer.scaler.mean_) / explainer.scaler.scale_
        scaled[explainer.categorical_features] = 1.0  # lime asks: the same category?
        return self._read(
            found, scaled, dict(zip(outputs, surrogate.scores, strict=True))
        )

    def _ask(
        self, explainer: Any, row: np.ndarray, outputs: Sequence[int], surrogate: Any
    ) -> Any:
        with warnings.catch_warnings():
            # lime expects probabilities, its regression does not
            message = r"\s*Prediction probabilties do not sum"
            warnings.filterwarnings("ignore", message)
            return explainer.explain_instance(
                row,
                PerturbedModel(self.problem.model),
                labels=outputs,
                model_regressor=surrogate,
                **self.request,
            )

    def _read(
        self, found: Any, scaled: np.ndarray, scores: dict[int, float]
    ) -> LocalFit:
        """Turn coefficients into contributions: times the row's scaled values."""
        n_outputs = self.problem.model.n_outputs
        contributions = np.full((len(scaled), n_outputs), np.nan)
        intercept, score = np.full((2, n_outputs), np.nan)
        for k, r2 in scores.items():
            label = k if n_outputs > 1 else found.dummy_label
            contributions[:, k] = 0.0
            for j, coefficient in found.local_exp[label]:
                contributions[j, k] = coefficient * scaled[j]
            intercept[k], score[k] = found.intercept[label], r2
        local_pred = intercept + contributions.sum(axis=0)
        return LocalFit(contributions, intercept, score, local_pred, found)


@dataclass(frozen=True)
class PerturbedModel:
    """The model as lime wants it: (n,) numbers for one output, else (n, C)."""

    model: CodedModel

    def __call__(self, codes: np.ndarray) -> np.ndarray:
        """Return the outputs on perturbed rows."""
        try:
            values = self.model(codes)
        except ValueError as error:
            raise ValueError(
                "the model refuses rows that lime has perturbed; name numeric columns "
                "that hold codes in categorical_features, or use method='permutation'"
            ) from error
        return values if self.model.n_outputs > 1 else values[:, 0]


class RecordingRidge(Ridge):
    """lime's regression, which keeps the R² of every output; lime keeps the last."""

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the weighted R² and keep it in `scores`."""
        score = super().score(X, y, sample_weight)
        self.scores = [*getattr(self, "scores", []), score]
        return score


def _read(
    found: Any,
    explainer: Any,
    row: np.ndarray,
    outputs: Sequence[int],
    scores: list[float],
    n_outputs: int,
) -> LocalFit:
    scaled = (row - explainer.scaler.mean_) / explainer.scaler.scale_
    scaled[explainer.categorical_features] = 1.0  # lime asks: the same category?
    contributions = np.full((len(row), n_outputs), np.nan)
    intercept, score = np.full((2, n_outputs), np.nan)
    for k, r2 in zip(outputs, scores, strict=True):
        label = k if n_outputs > 1 else found.dummy_label
        contributions[:, k] = 0.0
        for j, coefficient in found.local_exp[label]:
            contributions[j, k] = coefficient * scaled[j]
        intercept[k], score[k] = found.intercept[label], r2
    local_pred = intercept + contributions.sum(axis=0)
    return LocalFit(contributions, intercept, score, local_pred, found)


def _to_explanation(
    problem: Problem, fits: list[LocalFit], seconds: float
) -> shap.Explanation:
    values, intercept, score, local_pred = (
        np.stack([fit[part] for fit in fits]) for part in range(4)
    )
    explanation = problem.to_explanation(
        values, intercept, seconds=seconds, kind=local_explanation_class()
    )
    explanation.score_ = problem.narrow(score)
    explanation.intercept_ = problem.narrow(intercept)
    explanation.local_pred_ = problem.narrow(local_pred)
    explanation.lime_ = np.array([fit.lime for fit in fits], dtype=object)
    return explanation
