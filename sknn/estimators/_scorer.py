"""How the network under training scores on data that it is shown after each epoch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from sknn._array import Array
from sknn.estimators._data import Data
from sknn.estimators._targets import Targets
from sknn.losses import Loss
from sknn.tape import Tape


@dataclass
class Scorer:
    """Loss and score of data under the current network of a draft estimator.

    Parameters
    ----------
    scoring : str, callable or None
        As the parameter of that name.
    loss : Loss
        The loss that is trained.
    draft : estimator
        Can predict with the network under training.
    targets : ClassTargets or RealTargets
        What y is.
    """

    scoring: Any
    loss: Loss
    draft: Any
    targets: Targets

    def __post_init__(self) -> None:
        """Look the scorer up, so that a wrong name fails before training."""
        self._scorer: Callable[..., float] | None = None
        if self.scoring not in (None, "loss"):
            from sklearn.metrics import check_scoring

            self._scorer = check_scoring(self.draft, scoring=self.scoring)

    def loss_of(self, data: Data, raw: Array) -> float:
        """Return the mean loss of raw predictions, without penalty."""
        table = self.targets.table(raw.dtype)
        y = data.y if table is None else table[data.y]
        w = None
        if data.w is not None and data.w.any():
            w = (data.w / data.w.mean())[:, None]
        gradient = np.empty_like(raw)
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            return float(self.loss.value_and_gradient(y, raw, w, gradient, Tape()))

    def score_of(self, data: Data, raw: Array) -> float:
        """Return the score of data whose raw predictions are `raw`."""
        if not np.isfinite(raw).all():
            return np.nan  # as scikit-learn: a diverged network has no score
        if self.scoring == "loss":
            return -self.loss_of(data, raw)
        # weights of zero throughout say nothing about which sample counts more
        w = data.w if data.w is not None and data.w.any() else None
        if self._scorer is not None:
            weights = {} if w is None else {"sample_weight": w}
            return float(self._scorer(self.draft, data.X, data.labels, **weights))
        predicted = self.targets.predict(raw.copy(), self.loss)
        return self.targets.quick_score(data.labels, predicted, w)
