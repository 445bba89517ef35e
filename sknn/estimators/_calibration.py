"""What samples that were left out of training say about predictions.

One temperature makes probabilities honest, residuals make intervals.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

from sknn._array import Array
from sknn.losses import Loss
from sknn.tape import Tape

# Temperatures are sought between e^-5 and e^5.
_LOG_LIMIT = 5.0
# Halvings of the distance in which the end of an interval is sought.
_N_HALVINGS = 64


def fit_temperature(raw: Array, y: Array, w: Array | None, loss: Loss) -> float:
    r"""Return the temperature at which raw scores have the least log loss.

    Probabilities are those of the scores divided by it, so that above 1 they move
    towards even chances. The order of the classes stays.

    Parameters
    ----------
    raw : ndarray of shape (n_samples, n_raw)
        Scores of samples that the network was not trained on.
    y : ndarray of shape (n_samples, n_raw)
        Targets as the loss takes them.
    w : ndarray of shape (n_samples,) or None
        Sample weights; not all of them zero.
    loss : Loss
        The log loss. Smoothed by one sample it keeps the temperature above zero where
        all samples are classified right, as Platt's targets do.

    References
    ----------
    Guo, Pleiss, Sun & Weinberger, "On calibration of modern neural networks", ICML
    2017, section 4.2, "temperature scaling". Platt, "Probabilistic outputs for support
    vector machines", 1999, section 2.2, for the smoothing.
    """
    raw = raw.astype(np.float64)
    weights = None if w is None else (w / w.mean())[:, None]
    gradient = np.empty_like(raw)

    def slope(log_temperature: float) -> float:
        """Return the derivative of the loss by the inverse temperature."""
        scores = raw / np.exp(log_temperature)
        loss.value_and_gradient(y, scores, weights, gradient, Tape())
        return float(np.sum(gradient * raw))

    # The loss is convex in the inverse temperature: its slope falls along the other.
    low, high = -_LOG_LIMIT, _LOG_LIMIT
    if slope(0.0) == 0.0:
        return 1.0
    if slope(low) <= 0.0:
        return float(np.exp(low))
    if slope(high) >= 0.0:
        return float(np.exp(high))
    return float(np.exp(brentq(slope, low, high)))


@dataclass(frozen=True)
class Residuals:
    r"""Absolute errors on samples left out, and the intervals that follow from them.

    Parameters
    ----------
    of_members : tuple of ndarray of shape (n_k, n_outputs)
        Errors of member `k` on the samples that it alone was not trained on, each
        column in ascending order.

    References
    ----------
    Barber, Candès, Ramdas & Tibshirani, "Predictive inference with the jackknife+",
    Annals of Statistics 49, 2021, section 3, "CV+"; with one member it is split
    conformal prediction.
    """

    of_members: tuple[Array, ...]

    @classmethod
    def of(cls, errors: Iterable[Array]) -> Residuals:
        """Return the residuals of errors in any order."""
        return cls(
            tuple(np.sort(np.abs(e.reshape(len(e), -1)), axis=0) for e in errors)
        )

    @property
    def n_samples(self) -> int:
        """Number of samples left out."""
        return sum(map(len, self.of_members))

    def interval(self, predictions: Sequence[Array], coverage: float) -> Array:
        """Return lower and upper ends, (n_samples, n_outputs, 2).

        Parameters
        ----------
        predictions : sequence of ndarray of shape (n_samples, n_outputs)
            Of each member.
        coverage : float
            Share of samples that are to lie within, in (0, 1).
        """
        rank = _ceil(coverage * (self.n_samples + 1))
        if rank > self.n_samples:
            needed = _ceil(coverage / (1 - coverage))
            raise ValueError(
                f"coverage={coverage!r} needs at least {needed} samples to have been "
                f"fitted, got {self.n_samples}. Choose a smaller one."
            )
        ends = []
        for j in range(predictions[0].shape[1]):
            errors = [e[:, j] for e in self.of_members]
            centers = [p[:, j].astype(np.float64) for p in predictions]
            upper = _quantile_of_sums(centers, errors, rank)
            lower = -_quantile_of_sums([-c for c in centers], errors, rank)
            # Below a coverage of one half they may come in the other order.
            ends.append(np.sort(np.stack([lower, upper], axis=-1), axis=-1))
        return np.stack(ends, axis=1)


def _ceil(x: float) -> int:
    """Round up, but not what rounding has lifted above an integer."""
    return int(np.ceil(x * (1 - 1e-12)))


def _quantile_of_sums(
    centers: Sequence[Array], errors: Sequence[Array], rank: int
) -> Array:
    """Return the number of this rank among all of a member's center plus its errors.

    Each sample has a center for each member. The number is enclosed by halving, from
    what it would be if all centers were the least, or the greatest, of them.
    """
    error = np.partition(np.concatenate(errors), rank - 1)[rank - 1]
    low, high = np.min(centers, axis=0) + error, np.max(centers, axis=0) + error
    for _ in range(_N_HALVINGS):
        middle = low + (high - low) / 2
        count = sum(
            np.searchsorted(e, middle - c, side="right")
            for c, e in zip(centers, errors, strict=True)
        )
        enough = count >= rank
        high = np.where(enough, middle, high)
        low = np.where(enough, low, middle)
    return high
