"""Which samples each member of an ensemble is trained on."""

from __future__ import annotations

from typing import Any

import numpy as np

from sknn._array import Array


def resample(
    resampling: str | None,
    n_members: int,
    n_samples: int,
    rng: np.random.RandomState,
    strata: Array | None = None,
    groups: Array | None = None,
) -> list[Array | None]:
    """Return the rows of each member; None where a member takes all.

    Parameters
    ----------
    resampling : {'folds', 'bootstrap'} or None
        'folds': all but one fold each. 'bootstrap': as many samples as there are, drawn
        with replacement.
    n_members, n_samples : int
        Numbers of members and of samples.
    rng : RandomState
        Draws.
    strata : ndarray of shape (n_samples,) or None, default=None
        Classes, of which each fold has its share.
    groups : ndarray of shape (n_samples,) or None, default=None
        Groups that are left out, or drawn, as a whole.
    """
    if resampling is None:
        return [None] * n_members
    if resampling == "folds":
        fold = _folds(n_members, n_samples, rng, strata, groups)
        return [np.flatnonzero(fold != i) for i in range(n_members)]
    if groups is None:
        return [rng.randint(n_samples, size=n_samples) for _ in range(n_members)]
    return [_drawn_groups(groups, rng) for _ in range(n_members)]


def _folds(
    k: int,
    n: int,
    rng: np.random.RandomState,
    strata: Array | None,
    groups: Array | None,
) -> Array:
    """Return the fold of each sample, 0 to k - 1."""
    n_units = n if groups is None else len(np.unique(groups))
    if not 2 <= k <= n_units:
        what = "samples" if groups is None else "groups"
        raise ValueError(
            "resampling='folds' needs n_estimators between 2 and the number of "
            f"{what}, got n_estimators={k} with {n_units} {what}."
        )
    fold = np.empty(n, dtype=np.intp)
    if groups is not None:
        for i, (_, left_out) in enumerate(_group_splitter(k, rng, strata, groups)):
            fold[left_out] = i
        return fold
    # Dealt out class by class like cards: each class, and the whole, evenly to one
    # sample, however rare a class is.
    order = rng.permutation(n)
    if strata is not None:
        order = order[np.argsort(strata[order], kind="stable")]
    fold[order] = np.arange(n) % k
    return fold


def _group_splitter(
    k: int, rng: np.random.RandomState, strata: Array | None, groups: Array
) -> Any:
    from sklearn.model_selection import GroupKFold, StratifiedGroupKFold

    X = np.zeros((len(groups), 1))
    if strata is None or np.bincount(strata).max() < k:
        # Shuffled here: GroupKFold itself cannot in all versions.
        _, codes = np.unique(groups, return_inverse=True)
        return GroupKFold(k).split(X, groups=rng.permutation(codes.max() + 1)[codes])
    seed = rng.randint(np.iinfo(np.int32).max)
    return StratifiedGroupKFold(k, shuffle=True, random_state=seed).split(
        X, strata, groups
    )


def _drawn_groups(groups: Array, rng: np.random.RandomState) -> Array:
    """Return the rows of as many groups as there are, drawn with replacement."""
    _, codes = np.unique(groups, return_inverse=True)
    rows = np.argsort(codes, kind="stable")
    parts = np.split(rows, np.cumsum(np.bincount(codes))[:-1])
    drawn = rng.randint(len(parts), size=len(parts))
    return np.concatenate([parts[i] for i in drawn])
