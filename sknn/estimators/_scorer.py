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
from sknn.network import Network
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

    def measure(self, data: Data, network: Network) -> tuple[float, float]:
        """Return the mean loss of a network, without penalty, and its score.

        Rows are gathered and predicted a block at a time.
        """
        w = data.w if data.w is None or data.rows is None else data.w[data.rows]
        # weights of zero throughout say nothing about which sample counts more
        w = w if w is not None and w.any() else None
        losses, sizes, predicted, finite = [], [], [], True
        for part in data.blocks(network.block_rows):
            raw = network.predict(part.X)
            own = None if w is None or part.w is None else part.w / w.mean()
            losses.append(self._loss_of(part, raw, own))
            sizes.append(len(raw))
            finite = finite and bool(np.isfinite(raw).all())
            if self.scoring is None and finite:
                predicted.append(self.targets.predict(raw, self.loss))
        # An average of one number may be another one, by rounding.
        loss = losses[0] if len(losses) == 1 else np.average(losses, weights=sizes)
        if not finite:
            return float(loss), np.nan  # as scikit-learn: a diverged network has none
        return float(loss), self._score_of(data, float(loss), predicted, w)

    def _score_of(
        self, data: Data, loss: float, predicted: list[Array], w: Array | None
    ) -> float:
        if self.scoring == "loss":
            return -loss
        if self._scorer is not None:
            weights = {} if w is None else {"sample_weight": w}
            return float(self._scorer(self.draft, data.X, data.labels, **weights))
        labels = data.labels if data.rows is None else data.labels[data.rows]
        answer = predicted[0] if len(predicted) == 1 else np.concatenate(predicted)
        return self.targets.quick_score(labels, answer, w)

    def _loss_of(self, data: Data, raw: Array, w: Array | None) -> float:
        table = self.targets.table(raw.dtype)
        y = data.y if table is None else table[data.y]
        column = None if w is None else w[:, None]
        gradient = np.empty_like(raw)
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            return float(self.loss.value_and_gradient(y, raw, column, gradient, Tape()))
