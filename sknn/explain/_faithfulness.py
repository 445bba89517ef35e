"""Whether attributions say what the model does when columns are replaced.

One family of metrics, each a question to a `Game`; nothing is explained again here.
"""

from __future__ import annotations

from math import comb
from typing import TYPE_CHECKING, Any

import numpy as np

from sknn.explain._perturb import Game, attributions, narrow, prepare
from sknn.explain._seeds import seed_of

if TYPE_CHECKING:
    import shap

__all__ = ["additivity_error", "deletion_auc", "infidelity", "insertion_auc"]


def additivity_error(
    estimator: Any,
    X: Any,
    explanation: shap.Explanation,
    *,
    relative: bool = False,
    output: str = "auto",
    target: Any = None,
) -> np.ndarray:
    r"""Measure how far base value and attributions miss the model's output.

    .. math:: \left| \phi_0(x) + \sum_j \phi_j(x) - f(x) \right|

    Above 1e-6 of the largest effect, the attributions are not a division of the
    prediction: read them as a local model's (LIME) or an approximation's.

    Parameters
    ----------
    estimator : estimator or Pipeline
        The fitted model that was explained.
    X : table of shape (n, d)
        The rows that were explained.
    explanation : shap.Explanation
        What `explain` returned for them, or a cut through its outputs.
    relative : bool, default=False
        Divide by the largest distance of an output from its base value, over rows.
    output : {"auto", "margin", "probability", "prediction"}, default="auto"
        As it was given to `explain`.
    target : label, int, list or "predicted", optional
        As it was given to `explain`. None reads it from the explanation's
        `output_names`; a classifier's explanation without them is taken for one of
        "predicted".

    Returns
    -------
    error : ndarray of shape (n,) or (n, outputs)
        In units of the output, or as a share; 0 is best.

    References
    ----------
    .. [1] Lundberg and Lee, "A Unified Approach to Interpreting Model Predictions",
           NeurIPS 2017, property 1 (local accuracy).
    """
    game = prepare(
        estimator, X, X, output=output, target=target, explanation=explanation
    )
    values = attributions(game, explanation, "explanation")
    base = _base_values(explanation, values.shape)
    predictions = game.predictions()
    error = np.abs(base + values.sum(axis=1) - predictions)
    if relative:
        error = _share(error, np.abs(predictions - base).max(axis=0))
    return narrow(error, explanation)


def infidelity(
    estimator: Any,
    X: Any,
    explanation: shap.Explanation,
    *,
    background: Any,
    n_subsets: int = 100,
    relative: bool = False,
    output: str = "auto",
    target: Any = None,
    random_state: int | np.random.Generator | np.random.RandomState | None = None,
) -> np.ndarray:
    r"""Measure how badly sums of attributions predict what hiding columns does.

    .. math:: \mathbb{E}_S \left[ \left( \sum_{j \in S} \phi_j(x)
              - \left( f(x) - \frac{1}{B} \sum_b f(x_{S \leftarrow b}) \right)
              \right)^2 \right]

    Of two explanations, believe the one with the lower value; a relative infidelity
    of 1 is that of an explanation in which all attributions are 0.

    Parameters
    ----------
    estimator : estimator or Pipeline
        The fitted model that was explained.
    X : table of shape (n, d)
        The rows that were explained.
    explanation : shap.Explanation
        What `explain` returned for them, or a cut through its outputs.
    background : table of shape (B, d)
        The rows whose values take the place of hidden columns: best those that the
        explanation was made with.
    n_subsets : int, default=100
        Sets S of columns to hide, the same for every row. If no more than this many
        exist, each is hidden once and the result is exact.
    relative : bool, default=False
        Divide by the mean over S and rows of the squared change of the output.
    output : {"auto", "margin", "probability", "prediction"}, default="auto"
        As it was given to `explain`.
    target : label, int, list or "predicted", optional
        As it was given to `explain`; None reads it from the explanation.
    random_state : int, Generator or RandomState, optional
        Seed of the sets.

    Returns
    -------
    infidelity : ndarray of shape (n,) or (n, outputs)
        In squared units of the output, or as a share; 0 is best.

    Notes
    -----
    Sizes of S are uniform on 1 to d, sets uniform among those of a size, so that
    single columns count as much as all together. The change is averaged over the
    background before it is squared: one row at a time, the background's own spread
    would be held against every explanation. Exact Shapley values reach 0 if the
    model is a sum of functions of one column each; interactions leave a rest that no
    attribution to single columns can avoid.

    References
    ----------
    .. [1] Yeh et al., "On the (In)fidelity and Sensitivity of Explanations",
           NeurIPS 2019, equation 1; its perturbation times attribution is a sum over S
           for attributions that are contributions.
    """
    game = prepare(
        estimator, X, background, output=output, target=target, explanation=explanation
    )
    values = attributions(game, explanation, "explanation")
    check_count("n_subsets", n_subsets)
    hidden, weights = _subsets(game.X.shape[1], n_subsets, seed_of(random_state))
    predictions = game.predictions()
    change = np.stack(
        [predictions[i] - game.worth(i, ~hidden) for i in range(len(game.X))]
    )
    error = weights @ (hidden @ values - change) ** 2
    if relative:
        error = _share(error, (weights @ change**2).mean(axis=0))
    return narrow(error, explanation)


def deletion_auc(
    estimator: Any,
    X: Any,
    explanation: shap.Explanation,
    *,
    background: Any,
    output: str = "auto",
    target: Any = None,
) -> np.ndarray:
    r"""Measure how slowly the output goes when columns are hidden, best argument first.

    .. math:: \frac{1}{D} \int_0^1 s \left( v(t) - v(1) \right) dt

    where v(t) is the output, averaged over the background, once the share t of the
    columns is hidden, s the sign of :math:`v(0) - v(1)`, and D the mean over the rows
    of :math:`|v(0) - v(1)|`.

    Columns in random order have about 0.5 on average: the further the mean over rows
    is below it, the better the explanation knows which columns carry the output.

    Parameters
    ----------
    estimator : estimator or Pipeline
        The fitted model that was explained.
    X : table of shape (n, d)
        The rows that were explained.
    explanation : shap.Explanation
        What `explain` returned for them, or a cut through its outputs.
    background : table of shape (B, d)
        The rows whose values take the place of hidden columns.
    output : {"auto", "margin", "probability", "prediction"}, default="auto"
        As it was given to `explain`.
    target : label, int, list or "predicted", optional
        As it was given to `explain`; None reads it from the explanation.

    Returns
    -------
    area : ndarray of shape (n,) or (n, outputs)
        Lower is better; negative where the output overshoots.

    Notes
    -----
    Columns that argue for what the model said go first, those that argue against it
    last. The order alone counts, not the size of the attributions: `infidelity` sees
    that. Rows are divided by a mean over rows, since their own distance from the
    background can be next to nothing. It is 0 for a model that never changes.

    References
    ----------
    .. [1] Petsiuk, Das and Saenko, "RISE: Randomized Input Sampling for Explanation of
           Black-box Models", BMVC 2018, the deletion metric.
    """
    game = prepare(
        estimator, X, background, output=output, target=target, explanation=explanation
    )
    values = attributions(game, explanation, "explanation")
    return narrow(_areas(game, values, is_insertion=False), explanation)


def insertion_auc(
    estimator: Any,
    X: Any,
    explanation: shap.Explanation,
    *,
    background: Any,
    output: str = "auto",
    target: Any = None,
) -> np.ndarray:
    """Measure how fast the output comes when columns are shown, best argument first.

    The counterpart of `deletion_auc`: all columns start as the background's, and the
    share t of them takes the row's own values.

    Columns in random order have about 0.5 on average: the further the mean over rows
    is above it, the fewer columns suffice for the output.

    Parameters
    ----------
    estimator : estimator or Pipeline
        The fitted model that was explained.
    X : table of shape (n, d)
        The rows that were explained.
    explanation : shap.Explanation
        What `explain` returned for them, or a cut through its outputs.
    background : table of shape (B, d)
        The rows whose values take the place of hidden columns.
    output : {"auto", "margin", "probability", "prediction"}, default="auto"
        As it was given to `explain`.
    target : label, int, list or "predicted", optional
        As it was given to `explain`; None reads it from the explanation.

    Returns
    -------
    area : ndarray of shape (n,) or (n, outputs)
        Higher is better; above 1 where the output overshoots.

    References
    ----------
    .. [1] Petsiuk, Das and Saenko, "RISE: Randomized Input Sampling for Explanation of
           Black-box Models", BMVC 2018, the insertion metric.
    """
    game = prepare(
        estimator, X, background, output=output, target=target, explanation=explanation
    )
    values = attributions(game, explanation, "explanation")
    return narrow(_areas(game, values, is_insertion=True), explanation)


def check_count(name: str, value: Any, least: int = 1) -> None:
    """Refuse what is not an integer of at least `least`."""
    is_integer = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not is_integer or value < least:
        raise ValueError(f"{name} must be an integer of at least {least}, got {value}")


def _base_values(explanation: Any, shape: tuple[int, ...]) -> np.ndarray:
    """Return base values as (n, C)."""
    base = getattr(explanation, "base_values", None)
    if base is None:
        raise ValueError(
            "explanation must have base_values to add up from, got None; "
            "set them to the mean output over the background"
        )
    base = np.asarray(base, dtype=np.float64)
    n, _, n_outputs = shape
    if base.size == n * n_outputs:
        return base.reshape(n, n_outputs)
    return np.broadcast_to(base, (n, n_outputs))  # one for all rows


def _share(values: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Divide (n, C) by (C,); 0 / 0 is 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(values == 0, 0.0, values / scale)


def _subsets(d: int, n_subsets: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return sets of columns (m, d) and their weights, all or a random choice."""
    if d < 30 and 2**d - 1 <= n_subsets:
        every = np.indices((2,) * d).reshape(d, -1).T.astype(bool)[1:]
        return every, np.array([1 / (d * comb(d, k)) for k in every.sum(axis=1)])
    rng = np.random.default_rng(seed)
    spread = (np.arange(n_subsets) + rng.random()) / n_subsets
    sizes = 1 + (d * spread).astype(int)
    places = rng.permuted(np.tile(np.arange(d), (n_subsets, 1)), axis=1)
    return places < sizes[:, None], np.full(n_subsets, 1 / n_subsets)


def _areas(game: Game, values: np.ndarray, *, is_insertion: bool) -> np.ndarray:
    base = game.base()
    distance = game.predictions() - base
    sign = np.where(distance < 0, -1.0, 1.0)
    areas = np.stack(
        [_area(game, i, sign[i] * values[i], is_insertion) for i in range(len(values))]
    )
    return _share(sign * (areas - base), np.abs(distance).mean(axis=0))


def _area(game: Game, i: int, ranking: np.ndarray, is_insertion: bool) -> np.ndarray:
    """Return the area under each output's curve, columns by falling ranking (d, C)."""
    d, n_outputs = ranking.shape
    order = np.argsort(-ranking, axis=0, kind="stable")
    place = np.argsort(order, axis=0).T[:, None, :]
    taken = place < np.arange(d + 1)[:, None]  # (C, d + 1, d)
    shown = taken if is_insertion else ~taken
    worth = game.worth(i, shown.reshape(-1, d)).reshape(n_outputs, d + 1, n_outputs)
    curves = np.diagonal(worth, axis1=0, axis2=2)  # each output by its own order
    return (curves[1:] + curves[:-1]).sum(axis=0) / (2 * d)
