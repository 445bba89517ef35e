"""The masker that shap's explainers ask: rows in which some cells are the background.

Works on codes, compares them exactly, and takes neither a sample of the background
nor a copy of the model.
"""

from __future__ import annotations

import numpy as np

__all__ = ["TableMasker"]

CELLS = 2**22  # 32 MB of float64 codes per call of the model
NOOP = 2**31 - 1  # shap's code for "change nothing"


class TableMasker:
    """Fill the hidden columns of a row with those of every background row.

    Parameters
    ----------
    background : ndarray of shape (B, d)
        Codes of the background rows.
    """

    immutable_outputs = True  # spares shap a deep copy per mask

    def __init__(self, background: np.ndarray) -> None:
        self.background = background
        self.shape = background.shape
        self.clustering = None
        # a walk of 2d + 1 masks goes to the model at once unless that takes too much
        walk = (2 * self.shape[1] + 1) * background.size
        self.supports_delta_masking = walk <= CELLS

    @property
    def masks_per_call(self) -> int:
        """How many masks the model sees at once where a walk is too much."""
        return max(1, CELLS // self.background.size)

    def invariants(self, row: np.ndarray) -> np.ndarray:
        """Say where the background (B, d) equals the row, missing values included.

        shap's own masker takes numbers within 1e-5 of each other for equal.
        """
        both_missing = np.isnan(row) & np.isnan(self.background)
        return (row == self.background) | both_missing

    def __call__(self, mask: np.ndarray, row: np.ndarray) -> tuple:
        """Return the masked rows of one boolean mask, or of a walk of column flips."""
        if mask.dtype == bool:
            return (np.where(mask, row, self.background),)
        flips = np.zeros((len(mask), self.shape[1]), dtype=bool)
        steps = np.flatnonzero(mask != NOOP)
        flips[steps, mask[steps]] = True
        shown = np.logical_xor.accumulate(flips, axis=0)
        rows = np.where(shown[:, None, :], row, self.background)
        changed = (flips @ ~self.invariants(row).T).astype(bool)
        changed[0] = True
        return (rows.reshape(-1, self.shape[1]),), changed
