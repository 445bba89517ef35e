"""LIME over parts that are shown or hidden: words of a text, regions of an image.

Holds the masks, their fit and the explanation made of it; what is hidden, and how, is
known to `text` and `image`.
"""

from __future__ import annotations

import numbers
import time
from typing import Any

import numpy as np

from sknn.explain._lime_native import Fitter, RidgeFit
from sknn.explain._local import local_explanation_class
from sknn.explain._outputs import ModelOutput

__all__ = [
    "check_masking",
    "draw_counts",
    "draw_halves",
    "fit_masks",
    "part_explanation",
]


def check_masking(num_samples: Any, kernel_width: Any) -> None:
    """Refuse sizes of a sample and of a neighbourhood that make no sense."""
    is_integer = isinstance(num_samples, numbers.Integral)
    if not is_integer or isinstance(num_samples, bool) or num_samples < 2:
        raise ValueError(
            f"num_samples must be an integer of at least 2, got {num_samples!r}"
        )
    if not isinstance(kernel_width, int | float | np.number) or not kernel_width > 0:
        raise ValueError(f"kernel_width must be greater than 0, got {kernel_width!r}")


def draw_counts(rng: np.random.Generator, n: int, players: int) -> np.ndarray:
    """Draw n masks that hide 1 to all of the players, each number as often.

    True is shown. The first mask hides nothing.
    """
    hidden = rng.integers(1, players + 1, (n, 1))
    hidden[0] = 0
    rank = rng.random((n, players)).argsort(axis=1).argsort(axis=1)
    return rank >= hidden


def draw_halves(rng: np.random.Generator, n: int, players: int) -> np.ndarray:
    """Draw n masks that show each player or hide it, by the toss of a coin.

    True is shown. The first mask hides nothing.
    """
    masks = rng.random((n, players)) < 0.5
    masks[0] = True
    return masks


def fit_masks(masks: np.ndarray, Y: np.ndarray, width: float) -> RidgeFit:
    """Fit outputs by what is shown, near the first mask, which hides nothing.

    Masks are weighted by their cosine distance: 1 - sqrt(share of the players shown).
    """
    shown = masks.astype(np.float64)
    every = np.ones(masks.shape[1], dtype=bool)
    fitter = Fitter(shown[1:], Y[1:], every, width, "cosine")
    [(_, system)] = fitter.systems(shown[:1], Y[:1])
    fit = RidgeFit(*(part[0] for part in system.ridge()))
    return fit._replace(intercept=fit.intercept + fitter.level)


def part_explanation(
    fit: RidgeFit,
    output: ModelOutput,
    chosen: int | None,
    data: np.ndarray,
    names: list[str],
    start: float,
) -> Any:
    """Make the explanation of one text or image, for all outputs or the chosen one."""
    pick: Any = slice(None) if chosen is None else chosen
    pick = 0 if len(output.picked) == 1 else pick
    labels: Any = output.names if chosen is None else None
    if labels is not None:
        labels = labels[0] if len(labels) == 1 else list(labels)
    table = local_explanation_class()(
        values=fit.coef[None, :, pick],
        base_values=fit.intercept[None, ..., pick],
        data=data[None],
        error_std=fit.error[None, :, pick],
        feature_names=names,
        output_names=labels,
        compute_time=time.perf_counter() - start,
    )
    table.score_ = fit.score[None, ..., pick]
    table.intercept_ = fit.intercept[None, ..., pick]
    table.local_pred_ = (fit.intercept + fit.coef.sum(axis=0))[None, ..., pick]
    table.lime_ = None
    return table[0]
