"""LIME without the lime package: local ridge regressions in closed form.

Holds the weights, the moments of a weighted sample and their solution; explanations
are made of them elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from sklearn.metrics import pairwise_distances

__all__ = ["SELECTIONS", "STRIPE", "Fitter", "RidgeFit", "System"]

BATCHES = 10  # of the sample, between which the standard errors are measured
# Rows that share a product: always as many, and a multiple of those that BLAS takes at
# a time, so that the place of a row among others has no part in its rounding.
CHUNK = 48
# Rows for which the products of the sample's columns are formed once.
STRIPE = 2 * CHUNK
MAX_SHARED = 128  # columns and outputs, beyond which those products are not formed
MAX_MOMENTS = 2**24  # numbers that the moments of one row may take


class RidgeFit(NamedTuple):
    """Local linear models of C outputs."""

    coef: np.ndarray  # (..., d, C)
    intercept: np.ndarray  # (..., C)
    score: np.ndarray  # (..., C), weighted R²
    error: np.ndarray  # (..., d, C), standard errors of coef


@dataclass(frozen=True)
class System:
    """Weighted normal equations of C outputs, about the weighted means.

    The explained row itself has the weight 1, and is no random draw. Leading axes are
    the rows that are explained.
    """

    batches: np.ndarray  # (..., B, q, q), moments of (1, A, Y) without the row
    mean: np.ndarray  # (..., q), with the row
    scatter: np.ndarray  # (..., q, q), about the mean, with the row
    d: int

    @classmethod
    def of(cls, batches: np.ndarray, own: np.ndarray, d: int) -> System:
        """Form the equations from moments and the row's own (1, a, y)."""
        moments = batches.sum(axis=-3)
        weight = moments[..., :1, 0]
        mean = moments[..., 0, :] / np.maximum(weight, np.finfo(float).tiny)
        scatter = moments - weight[..., None] * _outer(mean, mean)
        # the row comes as an update: far out, its squares would drown the others
        away, share = own - mean, 1 / (1 + weight)
        scatter += (weight * share)[..., None] * _outer(away, away)
        return cls(batches, mean + share * away, scatter, d)

    @property
    def weight(self) -> np.ndarray:
        """Weight of the whole sample beside the row's own, which is 1, (...,)."""
        return self.batches[..., 0, 0].sum(axis=-1)

    @property
    def gram(self) -> np.ndarray:
        """AᵀWA, (..., d, d)."""
        return self.scatter[..., 1 : self.d + 1, 1 : self.d + 1]

    @property
    def moments(self) -> np.ndarray:
        """AᵀWY, (..., d, C)."""
        return self.scatter[..., 1 : self.d + 1, self.d + 1 :]

    def one(self, i: int, k: int) -> System:
        """Return the equations of output k of row i alone."""
        kept = [*range(self.d + 1), self.d + 1 + k]
        among = (..., *np.ix_(kept, kept))
        return System(
            self.batches[i][among], self.mean[i][kept], self.scatter[i][among], self.d
        )

    def inverse(self, columns: np.ndarray | None, alpha: float) -> np.ndarray:
        """Return (gram + alpha)⁻¹ among the columns (None: all), 0 elsewhere."""
        if columns is None:
            return np.linalg.inv(self.gram + alpha * np.eye(self.d))
        among = np.ix_(columns, columns)
        inverse = np.zeros_like(self.gram)
        inverse[among] = np.linalg.inv(self.gram[among] + alpha * np.eye(len(columns)))
        return inverse

    def ridge(self, columns: np.ndarray | None = None, alpha: float = 1.0) -> RidgeFit:
        """Solve with the penalty alpha, for some columns or all; the rest stay 0."""
        inverse = self.inverse(columns, alpha)
        coef = inverse @ self.moments
        total = np.diagonal(self.scatter, axis1=-2, axis2=-1)[..., self.d + 1 :]
        left = total - (coef * (2 * self.moments - self.gram @ coef)).sum(axis=-2)
        A_mean, Y_mean = self.mean[..., 1 : self.d + 1], self.mean[..., self.d + 1 :]
        intercept = Y_mean - (A_mean[..., None] * coef).sum(axis=-2)
        error = self._error(inverse, coef, intercept)
        return RidgeFit(coef, intercept, _r2(left, total), error)

    def _error(
        self, inverse: np.ndarray, coef: np.ndarray, intercept: np.ndarray
    ) -> np.ndarray:
        """Return how far batches of the sample pull the coefficients apart."""
        n_batches, n_outputs = self.batches.shape[-3], coef.shape[-1]
        if n_batches < 2:
            return np.full_like(coef, np.nan)
        y = np.broadcast_to(np.eye(n_outputs), (*coef.shape[:-2], n_outputs, n_outputs))
        residual = np.concatenate([-intercept[..., None, :], -coef, y], axis=-2)
        pull = self.batches[..., : self.d + 1, :] @ residual[..., None, :, :]
        A_mean = self.mean[..., None, 1 : self.d + 1, None]
        moved = inverse[..., None, :, :] @ (
            pull[..., 1:, :] - A_mean * pull[..., :1, :]
        )
        return np.sqrt(n_batches * moved.var(axis=-3, ddof=1))


def _outer(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    return left[..., :, None] * right[..., None, :]


def _r2(left: np.ndarray, total: np.ndarray) -> np.ndarray:
    """Return 1 - left / total; a constant output is explained in full."""
    return 1 - np.divide(left, total, out=np.zeros_like(left), where=total > 0)


@dataclass(frozen=True)
class Fitter:
    """Forms the equations around rows, from one sample and its outputs.

    Outputs count from their mean over the sample, so that squares keep their digits.
    """

    places: np.ndarray  # (m, d)
    Y: np.ndarray  # (m, C)
    nominal: np.ndarray  # (d,), columns that ask whether they are where the row is
    width: float
    metric: str

    @property
    def level(self) -> np.ndarray:
        """Mean outputs over the sample, (C,)."""
        return self.Y.mean(axis=0)

    @property
    def size(self) -> int:
        """How many numbers (1, a, y) hold."""
        return 1 + self.places.shape[1] + self.Y.shape[1]

    @property
    def n_batches(self) -> int:
        """Into how many batches the sample is cut."""
        return max(1, min(BATCHES, len(self.places), MAX_MOMENTS // self.size**2))

    def systems(
        self, places: np.ndarray, own: np.ndarray
    ) -> Iterator[tuple[slice, System]]:
        """Yield rows, and the equations around them, by places (n, d) and outputs.

        The outputs in the equations count from `level`.
        """
        is_shared = self.size <= MAX_SHARED and not self.nominal.any()
        moments = self._shared_moments if is_shared else self._moments_by_row
        stripe = min(STRIPE, MAX_MOMENTS // (self.n_batches * self.size**2))
        for start in range(0, len(places), max(stripe, 1)):
            rows = slice(start, start + max(stripe, 1))
            u = [np.ones((len(places[rows]), 1)), self.seen(places[rows])]
            own_moments = np.concatenate([*u, own[rows] - self.level], axis=1)
            d = self.places.shape[1]
            yield rows, System.of(moments(places[rows]), own_moments, d)

    def seen(self, places: np.ndarray) -> np.ndarray:
        """Return what the local model around a place sees there."""
        return np.where(self.nominal, 1.0, places)

    def _batches(self) -> Iterator[tuple[int, np.ndarray]]:
        """Yield the moments' columns (1, a, y) of each batch, as rows (q, m)."""
        U = np.empty((self.size, len(self.places)))
        d = self.places.shape[1]
        U[0], U[1 : d + 1], U[d + 1 :] = 1, self.places.T, (self.Y - self.level).T
        yield from enumerate(np.array_split(U, self.n_batches, axis=1))

    def _shared_moments(self, here: np.ndarray) -> np.ndarray:
        """Weight the same products of columns for every row: (n, B, q, q)."""
        n, d = here.shape
        padded = np.zeros((-(-n // CHUNK) * CHUNK, d))
        padded[:n] = here
        chunks = padded.reshape(-1, CHUNK, d)
        i, j = np.triu_indices(self.size)
        place = np.empty((self.size, self.size), dtype=np.intp)
        place[i, j] = place[j, i] = np.arange(len(i))
        moments = np.empty((n, self.n_batches, self.size, self.size))
        for b, U in self._batches():
            products = _products(U)
            weights = self._weights(chunks, U[1 : d + 1])
            flat = [w @ products.T for w in weights]
            moments[:, b] = np.concatenate(flat)[:n].take(place, axis=1)
        return moments

    def _moments_by_row(self, here: np.ndarray) -> np.ndarray:
        """Form the products anew for every row: (n, B, q, q)."""
        n, d = here.shape
        moments = np.empty((n, self.n_batches, self.size, self.size))
        asked = np.flatnonzero(self.nominal)
        for b, U in self._batches():
            Z, U = U[1 + asked], U.copy()
            for i, place in enumerate(here):
                U[1 + asked] = place[asked, None] == Z
                w = self._weights(self.seen(place)[None, None], U[1 : d + 1])
                weighted = U * np.sqrt(w[0])
                np.matmul(weighted, weighted.T, out=moments[i, b])
        return moments

    def _weights(self, chunks: np.ndarray, Z: np.ndarray) -> np.ndarray:
        """Return exp(-distance² / (2 width²)) from rows (k, n, d) to Z (d, m)."""
        if self.metric == "euclidean":
            squares = _squares(chunks, Z)
        else:
            squares = np.stack([self._distances(chunk, Z) ** 2 for chunk in chunks])
        squares *= -0.5 / self.width**2
        return np.exp(squares, out=squares)

    def _distances(self, rows: np.ndarray, Z: np.ndarray) -> np.ndarray:
        return pairwise_distances(rows, Z.T, metric=self.metric)


def _products(U: np.ndarray) -> np.ndarray:
    """Multiply each row with itself and those after it, as np.triu_indices has it."""
    q, m = U.shape
    products = np.empty((q * (q + 1) // 2, m))
    start = 0
    for i in range(q):
        np.multiply(U[i], U[i:], out=products[start : start + q - i])
        start += q - i
    return products


def _squares(chunks: np.ndarray, Z: np.ndarray) -> np.ndarray:
    """Return the squared distances from rows (k, n, d) to Z (d, m), (k, n, m)."""
    if chunks.shape[:2] == (1, 1):
        away = Z - chunks[0, 0, :, None]
        return np.einsum("dm,dm->m", away, away)[None, None]
    own = np.einsum("knd,knd->kn", chunks, chunks)[..., None]
    left = np.concatenate([-2 * chunks, own, np.ones_like(own)], axis=2)
    right = np.vstack([Z, np.ones(Z.shape[1]), np.einsum("dm,dm->m", Z, Z)])
    squares = left @ right
    return np.maximum(squares, 0, out=squares)


def _highest_weights(system: System, place: np.ndarray, k: int) -> np.ndarray:
    """Choose the k columns of the largest contributions in a fit of all."""
    coef = system.inverse(None, alpha=0.01) @ system.moments[:, 0]
    return np.argsort(-np.abs(coef * place), kind="stable")[:k]


def _forward_selection(system: System, place: np.ndarray, k: int) -> np.ndarray:
    """Choose k columns one after the other, each time the one that adds most R²."""
    gram, moments = system.gram.copy(), system.moments[:, 0].copy()
    floor = 1e-10 * np.diag(gram)  # below it, a column is a sum of those chosen
    chosen: list[int] = []
    for _ in range(min(k, len(gram))):
        variance = np.diag(gram)
        gain = np.full(len(gram), -1.0)
        np.divide(moments**2, variance, out=gain, where=variance > floor)
        gain[chosen] = -2.0
        best = int(gain.argmax())
        chosen.append(best)
        if gain[best] >= 0:  # take out of the others what they share with it
            share = gram[best] / gram[best, best]
            moments = moments - share * moments[best]
            gram = gram - np.outer(share, gram[best])
    return np.array(chosen)


def _auto(system: System, place: np.ndarray, k: int) -> np.ndarray:
    return (_forward_selection if k <= 6 else _highest_weights)(system, place, k)


# How to choose k columns for one output: functions of its equations and the row.
SELECTIONS: dict[str, Callable[[System, np.ndarray, int], np.ndarray]] = {
    "auto": _auto,
    "forward_selection": _forward_selection,
    "highest_weights": _highest_weights,
}
