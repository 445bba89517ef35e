"""What shares the output: columns, or groups of columns, as players of a game."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from sknn.explain._table import Table

__all__ = ["Players", "players_of"]


@dataclass(frozen=True)
class Players:
    """The players, and which of them each column belongs to.

    Parameters
    ----------
    names : list of str
        One per player.
    owner : ndarray of int of shape (d,)
        The player of each column.
    """

    names: list[str]
    owner: np.ndarray

    @property
    def are_columns(self) -> bool:
        """Whether each column is a player of its own, in their order."""
        return np.array_equal(self.owner, np.arange(len(self.names)))

    def data(self, codes: np.ndarray) -> np.ndarray:
        """Return the codes (n, p) of the players; NaN for those of several columns."""
        if self.are_columns:
            return codes.copy()
        data = np.full((len(codes), len(self.names)), np.nan)
        for j in range(len(self.names)):
            own = np.flatnonzero(self.owner == j)
            if len(own) == 1:
                data[:, j] = codes[:, own[0]]
        return data

    def display(self, codes: np.ndarray, table: Table) -> np.ndarray | None:
        """Return what a reader should see of the players, None where codes say it."""
        cells = table.display(codes)
        if self.are_columns:
            return cells
        cells = codes.astype(object) if cells is None else cells
        shown = np.empty((len(codes), len(self.names)), dtype=object)
        for j in range(len(self.names)):
            own = np.flatnonzero(self.owner == j)
            for i in range(len(codes)):
                shown[i, j] = (
                    cells[i, own[0]]
                    if len(own) == 1
                    else ", ".join(f"{table.names[k]}={cells[i, k]}" for k in own)
                )
        return shown


def players_of(groups: Any, names: list[str]) -> Players:
    """Return the players that `groups` describes: a dict of names of columns.

    Columns in no group stay players of their own.
    """
    if isinstance(groups, str) and groups == "columns":
        return Players(list(names), np.arange(len(names)))
    if not isinstance(groups, Mapping) or not groups:
        raise ValueError(
            "groups must be 'columns', 'transformed' or a dict such as {'place': "
            f"['town', 'street']}}, got {groups!r}"
        )
    owner = np.full(len(names), -1)
    for j, (group, members) in enumerate(groups.items()):
        for member in [members] if isinstance(members, str) else members:
            k = _place(member, names)
            if owner[k] >= 0:
                raise ValueError(f"groups names the column {member!r} twice")
            owner[k] = j
        if not (owner == j).any():
            raise ValueError(f"groups: {group!r} has no columns")
    labels = [str(group) for group in groups]
    for k in np.flatnonzero(owner < 0).tolist():
        owner[k] = len(labels)
        labels.append(names[k])
    return Players(labels, owner)


def _place(member: Any, names: list[str]) -> int:
    if isinstance(member, int | np.integer) and 0 <= member < len(names):
        return int(member)
    if str(member) in names:
        return names.index(str(member))
    raise ValueError(f"groups names {member!r}, which is none of the columns {names}")
