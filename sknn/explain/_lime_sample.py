"""What LIME draws: perturbed rows, from what is known of the background's columns.

The fits around the rows that are explained lie in `_lime_native`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri
from sklearn.preprocessing import StandardScaler

__all__ = ["Neighbourhood"]

PERCENTILES = {"quartile": np.arange(25, 100, 25), "decile": np.arange(10, 100, 10)}


@dataclass(frozen=True)
class Normal:
    """A number, drawn around the mean of the background with its scale."""

    mean: float
    scale: float

    def draw(self, rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
        """Return n values and their places in units of the scale."""
        z = rng.standard_normal(n)
        return self.mean + self.scale * z, z

    def place(self, values: np.ndarray) -> np.ndarray:
        """Return values in units of the scale, from the mean."""
        return (values - self.mean) / self.scale


@dataclass(frozen=True)
class Categories:
    """Codes, drawn as often as the background has them."""

    values: np.ndarray
    frequencies: np.ndarray

    @classmethod
    def of(cls, column: np.ndarray) -> Categories:
        """Count the codes of a column."""
        values, counts = np.unique(column, return_counts=True)
        return cls(values, counts / len(column))

    def draw(self, rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
        """Return n codes, which are their own places."""
        codes = rng.choice(self.values, n, p=self.frequencies)
        return codes, codes

    def place(self, values: np.ndarray) -> np.ndarray:
        """Return the codes."""
        return values


@dataclass(frozen=True)
class Bins:
    """A number cut at percentiles, drawn from a truncated normal in each bin."""

    edges: np.ndarray  # (k,), distinct
    frequencies: np.ndarray  # (k + 1,)
    mean: np.ndarray  # of what the bin holds, as std
    std: np.ndarray
    low: float  # the ends of the column
    high: float

    @classmethod
    def of(cls, column: np.ndarray, discretizer: str) -> Bins:
        """Cut a column at its distinct percentiles, bins closed above."""
        edges = np.unique(np.percentile(column, PERCENTILES[discretizer]))
        place = np.searchsorted(edges, column)
        counts = np.bincount(place, minlength=len(edges) + 1)
        mean = np.bincount(place, column, len(counts)) / np.maximum(counts, 1)
        square = np.bincount(place, (column - mean[place]) ** 2, len(counts))
        std = np.sqrt(square / np.maximum(counts, 1))
        low, high = float(column.min()), float(column.max())
        return cls(edges, counts / len(column), mean, std, low, high)

    def draw(self, rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
        """Return n values and their bins."""
        bins = rng.choice(len(self.frequencies), n, p=self.frequencies)
        low = np.append(self.low, self.edges)[bins]
        high = np.append(self.edges, self.high)[bins]
        mean, std = self.mean[bins], self.std[bins]
        # the mean lies in its bin: no tail is so far out that ndtr would round it off
        unit = np.where(std > 0, std, 1.0)
        p = rng.uniform(ndtr((low - mean) / unit), ndtr((high - mean) / unit))
        return np.clip(mean + std * ndtri(p), low, high), bins

    def place(self, values: np.ndarray) -> np.ndarray:
        """Return the bins of values."""
        return np.searchsorted(self.edges, values)


Kind = Normal | Categories | Bins


def _kinds(
    background: np.ndarray, categories: Sequence[int], discretizer: str | None
) -> list[Kind]:
    """Say how each column is drawn."""
    scaler = StandardScaler().fit(background)  # a constant column has scale 1
    kinds: list[Kind] = []
    for j, column in enumerate(background.T):
        if j in categories:
            kinds.append(Categories.of(column))
        elif discretizer is None:
            kinds.append(Normal(scaler.mean_[j], scaler.scale_[j]))
        else:
            kinds.append(Bins.of(column, discretizer))
    return kinds


@dataclass(frozen=True)
class Neighbourhood:
    """Perturbed rows, drawn once for all rows that are explained."""

    kinds: list[Kind]
    codes: np.ndarray  # (m, d), as the model takes them
    places: np.ndarray  # (m, d), as the local models take them

    @classmethod
    def draw(
        cls,
        background: np.ndarray,
        categories: Sequence[int],
        discretizer: str | None,
        n: int,
        seed: int,
    ) -> Neighbourhood:
        """Draw n rows."""
        rng = np.random.default_rng(seed)
        kinds = _kinds(background, categories, discretizer)
        drawn = [kind.draw(rng, n) for kind in kinds]
        codes, places = (np.column_stack(part) for part in zip(*drawn, strict=True))
        return cls(kinds, codes, places.astype(np.float64))

    @property
    def nominal(self) -> np.ndarray:
        """Which columns ask whether a row falls where the explained one does, (d,)."""
        return np.array([not isinstance(kind, Normal) for kind in self.kinds])

    def locate(self, X: np.ndarray) -> np.ndarray:
        """Return the places of rows (n, d)."""
        columns = zip(self.kinds, X.T, strict=True)
        located = np.column_stack([kind.place(x) for kind, x in columns])
        return located.astype(np.float64)
