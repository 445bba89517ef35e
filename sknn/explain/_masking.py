"""What shap's explainers ask for: rows in which some cells are the background's.

Works on codes, compares them exactly, and takes neither a sample of the background
nor a copy of the model.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["CELLS", "PointerModel", "TableMasker", "column_tree"]

CELLS = 2**22  # 32 MB of float64 codes per call of the model
NOOP = 2**31 - 1  # shap's code for "change nothing"


class TableMasker:
    """Fill the hidden columns of a row with those of every background row.

    Parameters
    ----------
    background : ndarray of shape (B, d)
        Codes of the background rows.
    owner : ndarray of int of shape (d,)
        The player, of p, that each column belongs to: they are shown and hidden.
    n_masks : int, optional
        The most masks that are asked for at once; None for those of a walk.
    clustering : ndarray of shape (p - 1, 4), optional
        A tree of the players as scipy.cluster.hierarchy has it.
    """

    immutable_outputs = True  # spares shap a deep copy per mask

    def __init__(
        self,
        background: np.ndarray,
        owner: np.ndarray,
        n_masks: int | None = None,
        clustering: np.ndarray | None = None,
    ) -> None:
        self.background = background
        self.owner = owner
        self.shape = (len(background), int(owner.max()) + 1)
        self.clustering = clustering
        # flips go to the model at once unless that takes too much
        n_masks = 2 * self.shape[1] + 1 if n_masks is None else n_masks
        self.supports_delta_masking = n_masks * background.size <= CELLS

    @property
    def masks_per_call(self) -> int:
        """How many masks the model sees at once where all of them are too much."""
        return max(1, CELLS // self.background.size)

    def invariants(self, row: np.ndarray) -> np.ndarray:
        """Say where players of the background equal the row's, (B, p).

        Missing values do; shap's own masker takes numbers within 1e-5 of each other for
        equal, too.
        """
        both_missing = np.isnan(row) & np.isnan(self.background)
        differs = ~((row == self.background) | both_missing)
        found = np.zeros(self.shape, dtype=bool)
        for j, player in enumerate(self.owner):
            found[:, player] |= differs[:, j]
        return ~found

    def n_varying(self, row: np.ndarray) -> int:
        """Count the players in which the row differs from some background row."""
        return int((~self.invariants(row)).any(axis=0).sum())

    def __call__(self, mask: np.ndarray, row: np.ndarray) -> tuple:
        """Return the masked rows of one boolean mask, or of a series of flips.

        Every number of a series flips a player; those written as -1 - player belong to
        the same step as the number behind them.
        """
        if mask.dtype == bool:
            return (np.where(mask[self.owner], row, self.background),)
        ends = mask >= 0
        step: np.ndarray = np.cumsum(ends) - ends
        player = np.where(ends, mask, -1 - mask)
        flips = np.zeros((ends.sum(), self.shape[1]), dtype=bool)
        real = mask != NOOP
        flips[step[real], player[real]] = True
        shown = np.logical_xor.accumulate(flips, axis=0)
        rows = np.where(shown[:, None, self.owner], row, self.background)
        # counts of changed players; booleans would be multiplied one by one
        changed = (flips * 1.0 @ ~self.invariants(row).T) > 0
        changed[0] = True
        return (rows.reshape(-1, len(row)),), changed


@dataclass(frozen=True)
class PointerModel:
    """A model of players given by the row that each is of: 0 is the explained one.

    For explainers without maskers, which compare numbers by tolerance, want floats
    and swap cells by themselves: of pointers they can do all that to.

    Parameters
    ----------
    model : callable
        Maps codes (n, d) to outputs (n, C).
    rows : ndarray of shape (1 + B, d)
        The explained row, then the background.
    owner : ndarray of int of shape (d,)
        The player, of p, that each column belongs to.
    """

    model: Callable[[np.ndarray], np.ndarray]
    rows: np.ndarray
    owner: np.ndarray

    def background(self) -> np.ndarray:
        """Return the pointers of the background; 0 where it equals the row, (B, p)."""
        same = TableMasker(self.rows[1:], self.owner).invariants(self.rows[0])
        return np.where(same, 0.0, np.arange(1.0, len(self.rows))[:, None])

    def __call__(self, pointers: np.ndarray) -> np.ndarray:
        """Return the outputs (n, C) of pointers (n, p)."""
        columns = np.arange(len(self.owner))
        size = max(1, CELLS // len(columns))
        parts = []
        for first in range(0, len(pointers), size):
            chosen = pointers[first : first + size].astype(int)[:, self.owner]
            parts.append(self.model(self.rows[chosen, columns]))
        return np.concatenate(parts)


def column_tree(background: np.ndarray, metric: Any) -> np.ndarray:
    """Return the tree of complete linkage of the columns, (d - 1, 4)."""
    from scipy.cluster.hierarchy import complete
    from scipy.spatial.distance import pdist

    filled = background.copy()
    for column in filled.T:
        missing = np.isnan(column)
        column[missing] = column[~missing].mean() if (~missing).any() else 0.0
    with np.errstate(invalid="ignore"):
        distances = pdist(filled.T, metric)
    # a constant column correlates with none
    return complete(np.nan_to_num(distances, nan=1.0))
