"""Data of one fit: input, targets as codes, weights; split for early stopping."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sknn._array import Array, as_rows


@dataclass(frozen=True)
class Data:
    """Samples to train on, or to be scored on.

    Parameters
    ----------
    X : {ndarray, sparse matrix} of shape (n_samples, n_features)
        Input.
    labels : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        Targets as the user gave them.
    y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        Targets encoded: codes, or rows of numbers.
    w : ndarray of shape (n_samples,) or None
        Sample weights.
    """

    X: Any
    labels: Array
    y: Array
    w: Array | None

    def take(self, rows: Array) -> Data:
        """Return these rows."""
        w = None if self.w is None else self.w[rows]
        return Data(as_rows(self.X)[rows], self.labels[rows], self.y[rows], w)

    def mean_weight(self, rows: Array | None = None) -> float:
        """Return the mean weight of these rows; raise where all are zero."""
        if self.w is None:
            return 1.0
        mean = float(np.mean(self.w if rows is None else self.w[rows]))
        if not mean > 0:
            raise ValueError(
                "sample_weight sums to zero over the training data: at least one "
                "sample must have a positive weight."
            )
        return mean


def split_rows(
    n: int, fraction: float, rng: np.random.RandomState, strata: Array | None
) -> tuple[Array, Array]:
    """Return rows to train on and rows to hold out, drawn as scikit-learn draws them.

    With `strata` each of them has its share on both sides, as far as there is room;
    the only member of a stratum is trained on.
    """
    from sklearn.model_selection import train_test_split

    # Two rows are the least that can be scored, whatever the fraction of few rows is.
    size = max(2, int(np.ceil(fraction * n)))
    if n - size < 2 or fraction == 0:
        raise ValueError(
            "The validation set is too small. Increase 'validation_fraction' or the "
            f"size of your dataset. Got n_samples={n} and validation_fraction="
            f"{fraction}."
        )
    rows, alone = np.arange(n), np.arange(0)
    if strata is not None:
        _, codes, counts = np.unique(strata, return_inverse=True, return_counts=True)
        single = counts[codes] == 1
        rows, alone, strata = rows[~single], rows[single], codes[~single]
        if (counts > 1).sum() > min(size, len(rows) - size):
            strata = None
    if len(rows) - size < 1:
        rows, alone, strata = np.arange(n), np.arange(0), None
    train, held = train_test_split(
        rows, test_size=size, random_state=rng, stratify=strata
    )
    return np.concatenate([train, alone]), held
