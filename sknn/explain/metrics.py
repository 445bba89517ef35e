"""Whether an explanation can be believed, and which method is better here.

Offers every metric under one roof, and the table that compares methods by them; each
family of metrics has a room of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from sknn.explain._agreement import agreement
from sknn.explain._faithfulness import (
    additivity_error,
    deletion_auc,
    infidelity,
    insertion_auc,
)
from sknn.explain._optional import require
from sknn.explain._perturb import prepare
from sknn.explain._robustness import sensitivity_max, stability
from sknn.explain._seeds import seed_of

if TYPE_CHECKING:
    import pandas as pd
    import shap

__all__ = [
    "additivity_error",
    "agreement",
    "compare",
    "deletion_auc",
    "infidelity",
    "insertion_auc",
    "sensitivity_max",
    "stability",
]

# Columns of `compare` in their order, and whether more of it is better.
MORE_IS_BETTER = {
    "infidelity": False,
    "deletion_auc": False,
    "insertion_auc": True,
    "additivity_error": False,
    "sensitivity_max": False,
    "seed_rank_correlation": True,
    "seed_change": False,
    "agreement": None,
    "compute_time": False,
}


def compare(
    explanations: Mapping[str, shap.Explanation],
    estimator: Any,
    X: Any,
    *,
    background: Any,
    explainers: Mapping[str, Any] | None = None,
    n_subsets: int = 100,
    output: str = "auto",
    target: Any = None,
    random_state: int | np.random.Generator | np.random.RandomState | None = None,
) -> pd.DataFrame:
    """Score several explanations of the same rows, one row of a table per method.

    The first row has the lowest infidelity: it foretells best what the model does
    when columns change, and is the one to show unless another is nearly as good and
    more stable or much faster.

    Parameters
    ----------
    explanations : mapping of str to shap.Explanation
        Explanations of the same rows and outputs by the name of their method.
    estimator : estimator or Pipeline
        The fitted model that was explained.
    X : table of shape (n, d)
        The rows that were explained.
    background : table of shape (B, d)
        The rows that explanations were made with.
    explainers : mapping of str to dict or callable, optional
        How to explain again, by the same names: keywords for `explain`, or
        ``explainer(X, seed)``. Methods named here get `sensitivity_max` and
        `stability`, which takes 15 explanations of X each.
    n_subsets : int, default=100
        Sets of columns that `infidelity` hides, the same for every method.
    output : {"auto", "margin", "probability", "prediction"}, default="auto"
        As it was given to `explain`.
    target : label, int, list or "predicted", optional
        As it was given to `explain`; None reads it from each explanation.
    random_state : int, Generator or RandomState, optional
        Seed of all random draws.

    Returns
    -------
    table : pandas.DataFrame
        Sorted by `infidelity` (relative), lowest first. `deletion_auc`,
        `insertion_auc`, `sensitivity_max`, `seed_rank_correlation` and `seed_change`
        (of `stability`) are means over rows and outputs, `additivity_error` is the
        relative error of the worst row. `agreement` is the mean rank correlation with
        the other methods, `compute_time` the seconds that `explain` took. `best_at`
        names the columns in which no method is better; agreement is not among them,
        since a majority can be wrong.

    Raises
    ------
    ImportError
        If pandas is not installed.
    """
    frame = require("pandas").DataFrame
    explainers = {} if explainers is None else explainers
    _check_names(explanations, explainers)
    seed = seed_of(random_state)
    asked = {"output": output, "target": target}
    rows = {}
    for name, explanation in explanations.items():
        model = (estimator, X, explanation)
        rows[name] = {
            **_faithfulness(model, background, n_subsets, seed, asked),
            "agreement": _mean_agreement(name, explanations),
            "compute_time": getattr(explanation, "compute_time", None),
        }
        if name in explainers:
            how = explainers[name]
            rows[name] |= _robustness(model, background, how, seed, asked)
    table = frame.from_dict(rows, orient="index").rename_axis("method")
    present = [column for column in MORE_IS_BETTER if column in table]
    table = table[present].astype(float)
    table["best_at"] = _best_at(table)
    return table.sort_values("infidelity", kind="stable")


def _check_names(explanations: Mapping[str, Any], explainers: Mapping) -> None:
    if not isinstance(explanations, Mapping) or not explanations:
        raise ValueError(
            "explanations must map names of methods to explanations, "
            f"got {explanations!r}"
        )
    unknown = [name for name in explainers if name not in explanations]
    if unknown:
        raise ValueError(
            f"explainers must have names of explanations {[*explanations]}, "
            f"got {unknown}"
        )


def _faithfulness(
    model: tuple, background: Any, n_subsets: int, seed: int, asked: dict[str, Any]
) -> dict[str, float]:
    settings = asked | {"background": background}
    missed = infidelity(
        *model, n_subsets=n_subsets, random_state=seed, relative=True, **settings
    )
    return {
        "infidelity": missed.mean(),
        "deletion_auc": deletion_auc(*model, **settings).mean(),
        "insertion_auc": insertion_auc(*model, **settings).mean(),
        "additivity_error": additivity_error(*model, relative=True, **asked).max(),
    }


def _robustness(
    model: tuple, background: Any, how: Any, seed: int, asked: dict[str, Any]
) -> dict[str, float]:
    estimator, X, explanation = model
    options = dict(how) if isinstance(how, Mapping) else {"explainer": how}
    settings = asked | options | {"background": background, "random_state": seed}
    settings["target"] = prepare(
        estimator, X, X, **asked, explanation=explanation
    ).target  # as the explanation's names have it
    repeated = stability(estimator, X, **settings)
    return {
        "sensitivity_max": sensitivity_max(*model, **settings).mean(),
        "seed_rank_correlation": repeated.rank_correlation.mean(),
        "seed_change": repeated.relative_change.mean(),
    }


def _mean_agreement(name: str, explanations: Mapping[str, Any]) -> float:
    others = [other for other in explanations if other != name]
    if not others:
        return float("nan")
    found = [agreement(explanations[name], explanations[other]) for other in others]
    return float(np.mean([each.rank_correlation for each in found]))


def _best_at(table: pd.DataFrame) -> list[str]:
    """Name the columns in which each row is the best, or as good to 6 digits."""
    names: list[list[str]] = [[] for _ in range(len(table))]
    for column in table:
        values = table[column].to_numpy()
        if MORE_IS_BETTER[column] is None or np.isnan(values).all():
            continue
        best = np.nanmax(values) if MORE_IS_BETTER[column] else np.nanmin(values)
        for i in np.flatnonzero(np.isclose(values, best, rtol=1e-6, atol=1e-9)):
            names[i].append(column)
    return [", ".join(found) for found in names]
