"""What the model looks at over many rows: columns, pairs of columns, and their curves.

Summarises explanations, and puts names and frames around scikit-learn's inspection.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from sknn.explain._faithfulness import check_count
from sknn.explain._inspection import CodedEstimator, CodedRegressor, grid_values
from sknn.explain._interactions import interactions
from sknn.explain._optional import require
from sknn.explain._perturb import Game, as_outputs, prepare
from sknn.explain._seeds import seed_of

if TYPE_CHECKING:
    import pandas as pd
    import shap

__all__ = [
    "global_importance",
    "interactions",
    "partial_dependence",
    "permutation_importance",
]

RandomState = int | np.random.Generator | np.random.RandomState | None


def global_importance(
    explanation: shap.Explanation,
    *,
    groups: Mapping[str, Sequence[str]] | None = None,
    ci: float = 0.95,
    n_resamples: int = 1000,
    random_state: RandomState = None,
) -> pd.DataFrame:
    r"""Average the absolute attributions of each column over the rows.

    .. math:: \frac{1}{n} \sum_i \left| \sum_{j \in G} \phi_j(x_i) \right|

    for a group G of columns, which most often is a single one.

    Parameters
    ----------
    explanation : shap.Explanation
        Explanation of many rows.
    groups : mapping of str to list of str, optional
        Columns that count as one, by the name of the group: their attributions are
        summed before the absolute value is taken. Other columns stay as they are.
    ci : float, default=0.95
        Coverage of the confidence intervals.
    n_resamples : int, default=1000
        Bootstrap samples of the rows behind the intervals.
    random_state : int, Generator or RandomState, optional
        Seed of the bootstrap.

    Returns
    -------
    table : pandas.DataFrame
        One row per column: `feature`, `output` (if the explanation has several),
        `importance`, `lower`, `upper`, and `mean`, the average with its sign. Most
        important first, outputs in their order.

    Notes
    -----
    Intervals are percentiles of the bootstrap [1]_: how far the importance might move
    with other rows of the same kind. They do not contain the error of the
    explanations themselves (`error_std`), and are NaN for a single row.

    References
    ----------
    .. [1] Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, section 13.3.
    """
    frame = require("pandas").DataFrame
    if not 0 < ci < 1:
        raise ValueError(f"ci must lie in (0, 1), got {ci!r}")
    check_count("n_resamples", n_resamples)
    values = as_outputs(explanation, "explanation")
    outputs = _outputs_of(explanation, values)
    names, values = _grouped(_features_of(explanation, values), values, groups)
    size = np.abs(values)
    lower, upper = _bootstrap(size, ci, n_resamples, seed_of(random_state))
    columns = {
        "importance": size.mean(axis=0),
        "lower": lower,
        "upper": upper,
        "mean": values.mean(axis=0),
    }
    parts = []
    for c, output in enumerate(outputs):
        part = frame({key: column[:, c] for key, column in columns.items()})
        part.insert(0, "feature", names)
        if len(outputs) > 1:
            part.insert(1, "output", output)
        parts.append(part.sort_values("importance", ascending=False, kind="stable"))
    return require("pandas").concat(parts, ignore_index=True)


def permutation_importance(
    estimator: Any,
    X: Any,
    y: Any,
    *,
    scoring: Any = None,
    n_repeats: int = 5,
    n_jobs: int | None = None,
    sample_weight: Any = None,
    max_samples: int | float = 1.0,
    random_state: RandomState = None,
) -> pd.DataFrame:
    """Measure how much worse the model scores when a column is shuffled.

    This is scikit-learn's `permutation_importance` [1]_, which needs no explanation:
    it says what the score owes to a column, not what a prediction owes to it. Added
    are the names, a sorted frame, and tables that it does not take itself, such as
    polars frames and sparse matrices; a column is shuffled before the pipeline.

    Parameters
    ----------
    estimator : estimator or Pipeline
        A fitted model.
    X : table of shape (n, d)
        Rows that the model should not have been trained on.
    y : array of shape (n,) or (n, outputs)
        Their true values.
    scoring : str, callable, list or dict, optional
        As for scikit-learn's function; None for the estimator's own score.
    n_repeats : int, default=5
        How often each column is shuffled.
    n_jobs : int, optional
        Processes to share the columns.
    sample_weight : array of shape (n,), optional
        Weights for the score.
    max_samples : int or float, default=1.0
        Rows to draw for each shuffle.
    random_state : int, Generator or RandomState, optional
        Seed of the shuffles; None leaves NumPy's global generator alone, too.

    Returns
    -------
    table : pandas.DataFrame
        `feature`, `score` (for several scores), `importance`, the mean loss of score,
        and `std` over the repeats. Most important first, scores in their order.

    References
    ----------
    .. [1] Breiman, "Random Forests", Machine Learning 45, 2001, section 10.
    """
    from sklearn import inspection

    frame = require("pandas").DataFrame
    game = prepare(estimator, X, X, output="auto", target=None)
    found = inspection.permutation_importance(
        CodedEstimator(estimator, game.model.table),
        game.X,
        y,
        scoring=scoring,
        n_repeats=n_repeats,
        n_jobs=n_jobs,
        sample_weight=sample_weight,
        max_samples=max_samples,
        random_state=seed_of(random_state) % 2**32,
    )
    scores = {None: found} if "importances" in found else found
    parts = []
    for score, values in scores.items():
        part = frame({"feature": game.names, "importance": values.importances_mean})
        part["std"] = values.importances_std
        if score is not None:
            part.insert(1, "score", score)
        parts.append(part.sort_values("importance", ascending=False, kind="stable"))
    return require("pandas").concat(parts, ignore_index=True)


def partial_dependence(
    estimator: Any,
    X: Any,
    features: Any,
    *,
    output: str = "auto",
    target: Any = None,
    kind: str = "average",
    grid_resolution: int = 100,
    percentiles: tuple[float, float] = (0.05, 0.95),
    sample_weight: Any = None,
) -> pd.DataFrame:
    """Follow the mean output while one or two columns take one value after another.

    This is scikit-learn's `partial_dependence` [1]_ by brute force. Added are any of
    the outputs that `explain` knows, columns of every type (strings, categories,
    booleans and dates take each of their values), all kinds of tables, and a frame in
    which the grid has the column's own values.

    Parameters
    ----------
    estimator : estimator or Pipeline
        A fitted model.
    X : table of shape (n, d)
        The rows to average over.
    features : str, int or pair of them
        One column or two, by name or position.
    output : {"auto", "margin", "probability", "prediction"}, default="auto"
        As for `explain`.
    target : label, int or list, optional
        As for `explain`.
    kind : {"average", "individual"}, default="average"
        The mean over rows, or the curve of each row [2]_.
    grid_resolution : int, default=100
        Points on the grid of a number with at least as many values.
    percentiles : tuple of float, default=(0.05, 0.95)
        Where such a grid starts and ends.
    sample_weight : array of shape (n,), optional
        Weights of the rows in the mean.

    Returns
    -------
    table : pandas.DataFrame
        A column with the grid for each of `features`, `output` (if there are several),
        `row` (the position in X, for individual curves), and `value`.

    Notes
    -----
    Rows are moved to where there may be no data: do not believe the curve at
    combinations that do not occur.

    References
    ----------
    .. [1] Friedman, "Greedy Function Approximation: A Gradient Boosting Machine",
           Annals of Statistics 29, 2001, section 8.2.
    .. [2] Goldstein et al., "Peeking Inside the Black Box: Visualizing Statistical
           Learning With Plots of Individual Conditional Expectation", 2015.
    """
    from sklearn import inspection

    frame = require("pandas").DataFrame
    if kind not in ("average", "individual"):
        raise ValueError(f"kind must be 'average' or 'individual', got {kind!r}")
    game = prepare(estimator, X, X, output=output, target=target)
    if game.chosen is not None:
        raise ValueError(
            "target='predicted' has no mean over rows; name a class, or take all "
            "of them with target=None"
        )
    places = _find_columns(game, features)
    found = inspection.partial_dependence(
        CodedRegressor(game.model),
        _without_missing(game.X, places),
        places,
        categorical_features=[j for j in places if j in game.model.table.coded] or None,
        sample_weight=sample_weight,
        percentiles=percentiles,
        grid_resolution=grid_resolution,
        method="brute",
        kind=kind,
    )
    grid = [
        grid_values(game.model.table, j, axis)
        for j, axis in zip(places, found["grid_values"], strict=True)
    ]
    return frame(_long(game, places, grid, found[kind], kind))


def _features_of(explanation: Any, values: np.ndarray) -> list[str]:
    names = getattr(explanation, "feature_names", None)
    if names is None:
        return [f"x{j}" for j in range(values.shape[1])]
    return [str(name) for name in names]


def _outputs_of(explanation: Any, values: np.ndarray) -> list[str]:
    """Return one name per output; interactions are not outputs."""
    names: Any = getattr(explanation, "output_names", None)
    is_list = names is not None and not isinstance(names, str)
    if is_list and len(names) == values.shape[2]:
        return [str(name) for name in names]
    if np.ndim(explanation.values) == 3 and values.shape[1] == values.shape[2]:
        raise ValueError(
            f"explanation must have one value per column, got shape {values.shape} as "
            "of interactions; sum them over one of the two axes of columns first"
        )
    return [f"Output {c}" for c in range(values.shape[2])]


def _grouped(
    names: list[str], values: np.ndarray, groups: Mapping[str, Sequence[str]] | None
) -> tuple[list[str], np.ndarray]:
    """Sum the values (n, d, C) of each group; groups first, other columns after."""
    groups = {} if groups is None else groups
    members = [str(name) for group in groups.values() for name in group]
    wrong = [name for name in members if name not in names or members.count(name) > 1]
    if wrong or any(isinstance(group, str) for group in groups.values()):
        raise ValueError(
            f"groups must map names to lists of different columns among {names}, "
            f"got {dict(groups)}"
        )
    parts = [[names.index(str(name)) for name in group] for group in groups.values()]
    alone = [j for j, name in enumerate(names) if name not in members]
    parts += [[j] for j in alone]
    summed = [values[:, part].sum(axis=1) for part in parts]
    labels = [*map(str, groups), *(names[j] for j in alone)]
    return labels, np.stack(summed, axis=1)


def _bootstrap(
    size: np.ndarray, ci: float, n_resamples: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the bounds of the mean over rows of (n, d, C), each (d, C)."""
    n = len(size)
    if n == 1:
        nothing = np.full(size.shape[1:], np.nan)
        return nothing, nothing
    rng = np.random.default_rng(seed)
    counts = rng.multinomial(n, np.full(n, 1 / n), size=n_resamples)
    means = (counts / n @ size.reshape(n, -1)).reshape(n_resamples, *size.shape[1:])
    lower, upper = np.quantile(means, [(1 - ci) / 2, (1 + ci) / 2], axis=0)
    return lower, upper


def _find_columns(game: Game, features: Any) -> list[int]:
    wanted = [features] if isinstance(features, str | int | np.integer) else features
    wanted = list(wanted)
    allowed: dict[Any, int] = {name: j for j, name in enumerate(game.names)}
    allowed |= {j: j for j in range(len(game.names)) if j not in allowed}
    unknown = [name for name in wanted if name not in allowed]
    if unknown or len(wanted) not in (1, 2) or len(set(wanted)) < len(wanted):
        raise ValueError(
            f"features must be one column or two of {game.names}, got {features!r}"
        )
    return [allowed[name] for name in wanted]


def _without_missing(codes: np.ndarray, places: list[int]) -> np.ndarray:
    """Fill the missing numbers of columns that the grid overwrites in every row.

    scikit-learn reads nothing but the grid from them; missing values are not on it.
    """
    codes = codes.copy()
    for j in places:
        missing = np.isnan(codes[:, j])
        if missing.any() and not missing.all():
            levels = np.linspace(0, 1, missing.sum())
            codes[missing, j] = np.quantile(
                codes[~missing, j], levels, method="nearest"
            )
    return codes


def _long(
    game: Game, places: list[int], grid: list[list], values: np.ndarray, kind: str
) -> dict[str, Any]:
    """Lay values (C[, n], grid...) out as columns of a frame, grid fastest."""
    outputs = game.model.output.names
    axes: dict[str, list] = {"output": list(outputs or [None])}
    if kind == "individual":
        axes["row"] = list(range(len(game.X)))
    axes |= {game.names[j]: axis for j, axis in zip(places, grid, strict=True)}
    at = np.indices([len(axis) for axis in axes.values()]).reshape(len(axes), -1)
    columns = {
        name: [axis[k] for k in index]
        for (name, axis), index in zip(axes.items(), at, strict=True)
    }
    output = columns.pop("output")
    row = {"row": columns.pop("row")} if kind == "individual" else {}
    named = {"output": output} if game.n_outputs > 1 else {}
    return columns | named | row | {"value": np.ravel(values)}
