"""What early stopping holds out of the training data, and how it is drawn."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from sknn._array import Array
from sknn.estimators._reading import as_plain, reading

Split = tuple[Array, Array]


def require_pair(X_val: Any, y_val: Any) -> None:
    """Raise ValueError where one of the two is given alone."""
    if (X_val is None) != (y_val is None):
        raise ValueError("X_val and y_val must be given together.")


@contextmanager
def naming_validation_data() -> Iterator[None]:
    """Say of an error that it is about the validation data."""
    try:
        yield
    except (TypeError, ValueError) as error:
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"X_val, y_val or sample_weight_val do not fit: {error}") from error


@dataclass(frozen=True)
class HoldOut:
    """A rule that divides samples into those to train on and those to hold out.

    Parameters
    ----------
    splitter : object or None
        As the parameter `validation_split`.
    fraction : float
        As the parameter `validation_fraction`.
    """

    splitter: Any
    fraction: float

    def draw(
        self,
        X: Any,
        labels: Array,
        rng: np.random.RandomState,
        *,
        strata: Array | None = None,
        weights: Array | None = None,
        groups: Array | None = None,
    ) -> Split:
        """Return the rows to train on and the rows to hold out.

        Parameters
        ----------
        X : {ndarray, sparse matrix} of shape (n_samples, n_features)
            Input, which splitters may look at.
        labels : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Targets as the user gave them.
        rng : RandomState
            Draws, where the splitter has no random state of its own.
        strata : ndarray of shape (n_samples,) or None, default=None
            Classes, of which each has its share on both sides.
        weights : ndarray of shape (n_samples,) or None, default=None
            Sample weights: samples of weight zero, which could not be scored, are not
            held out.
        groups : ndarray of shape (n_samples,) or None, default=None
            Groups that are not divided.
        """
        splitter = self.splitter
        if splitter is None:
            if groups is None:
                return self._share(len(labels), rng, strata, weights)
            splitter = self._of_groups(groups)
        return first_split(splitter, X, labels, groups, rng)

    def _of_groups(self, groups: Array) -> Any:
        from sklearn.model_selection import GroupShuffleSplit

        if len(set(groups.tolist())) < 2:
            raise ValueError(
                "groups must have at least two different values, of which early "
                "stopping holds out some."
            )
        return GroupShuffleSplit(1, test_size=self.fraction)

    def _share(
        self,
        n: int,
        rng: np.random.RandomState,
        strata: Array | None,
        weights: Array | None,
    ) -> Split:
        if weights is None or weights.all() or np.count_nonzero(weights) < 4:
            return split_rows(n, self.fraction, rng, strata)
        counting, others = np.flatnonzero(weights), np.flatnonzero(weights == 0)
        own = None if strata is None else strata[counting]
        train, held = split_rows(len(counting), self.fraction, rng, own)
        return np.concatenate([counting[train], others]), counting[held]


def check_groups(groups: Any, n: int) -> Array:
    """Return groups as an array with one entry for each of `n` samples."""
    with reading("groups"):
        groups = np.asarray(as_plain("groups", groups))
    if groups.shape not in ((n,), (n, 1)):
        raise ValueError(
            f"groups must have one entry for each of the {n} samples, got an array of "
            f"shape {groups.shape}."
        )
    groups = groups.ravel()
    with reading("groups"):
        names = np.unique(groups)  # raises where they cannot be compared
    if any(name is None or name != name for name in names.tolist()):
        raise ValueError("groups must not be missing, got None or NaN among them.")
    return groups


def first_split(
    splitter: Any, X: Any, labels: Array, groups: Any, rng: np.random.RandomState
) -> Split:
    """Return the first split of a splitter; raise ValueError if it is of no use."""
    drawing = splitter
    if getattr(splitter, "random_state", 0) is None:
        drawing = copy.copy(splitter)
        drawing.random_state = rng.randint(np.iinfo(np.int32).max)
    try:
        split = next(iter(drawing.split(X, labels, groups)))
    except StopIteration:
        raise ValueError(f"validation_split={splitter!r} gives no split.") from None
    except ValueError as error:
        wants_groups = groups is None and "group" in str(error)
        remedy = " Pass groups to fit." if wants_groups else ""
        raise ValueError(
            f"validation_split={splitter!r} cannot split these {len(labels)} samples: "
            f"{error}{remedy}"
        ) from error
    try:
        train, held = split
    except (TypeError, ValueError):
        raise ValueError(
            f"validation_split={splitter!r} must give pairs, of the rows to train on "
            f"and those to hold out, got {split!r}."
        ) from None
    train, held = (_as_indices(part, len(labels)) for part in (train, held))
    if len(train) < 1 or len(held) < 1:
        raise ValueError(
            f"validation_split={splitter!r} must leave samples on both sides, but "
            f"gives {len(train)} to train on and {len(held)} to hold out."
        )
    return train, held


def _as_indices(part: Any, n: int) -> Array:
    """Return rows as indices, from indices or a mask; refuse those that are none."""
    part = np.asarray(part)
    if part.dtype == bool:
        part = np.flatnonzero(part)
    if part.ndim != 1 or (part.size and part.dtype.kind not in "iu"):
        raise ValueError(
            f"validation_split must give rows as indices or a mask, got {part!r}."
        )
    if len(part) and not -n <= part.min() <= part.max() < n:
        raise ValueError(
            f"validation_split gives rows {part.min()} to {part.max()}, but there are "
            f"{n} samples."
        )
    return part


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
