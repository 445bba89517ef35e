"""How good the predictions are, beside those of a model that knows no columns.

Scores, confusions and calibration as plain numbers; None where one is not defined.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.metrics import confusion_matrix, roc_auc_score

from sknn.explain._report._subject import Subject

__all__ = ["calibration", "confusion", "reliability", "scores"]

N_BINS = 10
SHOWN_POINTS = 1000
TINY = np.finfo(float).eps


def scores(subject: Subject) -> dict[str, Any]:
    """Return rows of name, score and baseline, and what the baseline is."""
    if subject.is_regression:
        return _scores_of_numbers(subject.truth, subject.predicted)
    return _scores_of_classes(subject)


def _scores_of_classes(subject: Subject) -> dict[str, Any]:
    truth = subject.truth
    shares = np.bincount(truth, minlength=len(subject.classes)) / len(truth)
    majority = np.full(len(truth), shares.argmax())
    rows = [
        _row("accuracy", "higher", _accuracy, truth, subject.predicted, majority),
        _row(
            "balanced accuracy", "higher", _balanced, truth, subject.predicted, majority
        ),
    ]
    if subject.probabilities is not None:
        constant = np.tile(shares, (len(truth), 1))
        rows.append(
            _row("log loss", "lower", _log_loss, truth, subject.probabilities, constant)
        )
    if subject.kind == "binary":
        rows.append(_auc_row(subject))
    most = subject.classes[int(shares.argmax())]
    return {
        "rows": rows,
        "baseline": f"always the most frequent class of these rows, {most}; "
        "for probabilities, the classes' shares",
    }


def _row(
    name: str, better: str, score: Any, truth: np.ndarray, model: Any, baseline: Any
) -> dict[str, Any]:
    return {
        "name": name,
        "better": better,
        "model": score(truth, model),
        "baseline": score(truth, baseline),
    }


def _accuracy(truth: np.ndarray, predicted: np.ndarray) -> float:
    return float(np.mean(truth == predicted))


def _balanced(truth: np.ndarray, predicted: np.ndarray) -> float:
    present = np.unique(truth)
    return float(
        np.mean([np.mean(predicted[truth == code] == code) for code in present])
    )


def _log_loss(truth: np.ndarray, probabilities: np.ndarray) -> float:
    chosen = probabilities[np.arange(len(truth)), truth]
    return float(-np.log(np.clip(chosen, TINY, 1.0)).mean())


def _auc_row(subject: Subject) -> dict[str, Any]:
    by = subject.margin
    if by is None and subject.probabilities is not None:
        by = subject.probabilities[:, 1]
    defined = by is not None and len(np.unique(subject.truth)) == 2
    return {
        "name": "ROC AUC",
        "better": "higher",
        "model": float(roc_auc_score(subject.truth, by)) if defined else None,
        "baseline": 0.5 if defined else None,
    }


def _scores_of_numbers(truth: np.ndarray, predicted: np.ndarray) -> dict[str, Any]:
    mean = np.full(len(truth), truth.mean())
    return {
        "rows": [
            _row("R²", "higher", _r2, truth, predicted, mean),
            _row("mean absolute error", "lower", _mae, truth, predicted, mean),
            _row("root mean squared error", "lower", _rmse, truth, predicted, mean),
        ],
        "baseline": "always the mean of these rows",
    }


def _r2(truth: np.ndarray, predicted: np.ndarray) -> float | None:
    spread = np.sum((truth - truth.mean()) ** 2)
    return float(1 - np.sum((truth - predicted) ** 2) / spread) if spread > 0 else None


def _mae(truth: np.ndarray, predicted: np.ndarray) -> float:
    return float(np.abs(truth - predicted).mean())


def _rmse(truth: np.ndarray, predicted: np.ndarray) -> float:
    return float(np.sqrt(np.mean((truth - predicted) ** 2)))


def confusion(subject: Subject) -> dict[str, Any] | None:
    """Return the counts of true classes (rows) and predicted classes (columns)."""
    if subject.is_regression:
        return None
    codes = np.arange(len(subject.classes))
    counts = confusion_matrix(subject.truth, subject.predicted, labels=codes)
    return {"labels": list(subject.classes), "counts": counts.tolist()}


def calibration(subject: Subject) -> dict[str, Any]:
    """Return bins of probabilities, or points of true and predicted numbers."""
    if subject.is_regression:
        return _points(subject.truth, subject.predicted)
    if subject.probabilities is None:
        return {"omitted": "The model has no predict_proba, so there is none to check."}
    if subject.kind == "binary":
        event = f"the class {subject.classes[1]}"
        return reliability(subject.probabilities[:, 1], subject.truth == 1, event)
    top = subject.probabilities.max(axis=1)
    event = "the class with the largest probability"
    hit = subject.probabilities.argmax(axis=1) == subject.truth
    return reliability(top, hit, event)


def reliability(p: np.ndarray, happened: np.ndarray, event: str) -> dict[str, Any]:
    """Compare probabilities with frequencies in bins of equal width."""
    place = np.minimum((p * N_BINS).astype(int), N_BINS - 1)
    bins, error = [], 0.0
    for k in range(N_BINS):
        inside = place == k
        count = int(inside.sum())
        if count == 0:
            continue
        mean, share = float(p[inside].mean()), float(happened[inside].mean())
        low, high = _wilson(share, count)
        error += count / len(p) * abs(mean - share)
        bins.append(
            {"count": count, "mean": mean, "share": share, "low": low, "high": high}
        )
    return {"event": event, "bins": bins, "error": error}


def _wilson(share: float, count: int) -> tuple[float, float]:
    """Return a 95 % interval for a share, which also fits small counts."""
    z2 = 1.96**2 / count
    middle = (share + z2 / 2) / (1 + z2)
    half = np.sqrt(z2 * share * (1 - share) + z2**2 / 4) / (1 + z2)
    return max(0.0, float(middle - half)), min(1.0, float(middle + half))


def _points(truth: np.ndarray, predicted: np.ndarray) -> dict[str, Any]:
    """Return evenly spaced rows: too many points hide one another."""
    step = -(-len(truth) // SHOWN_POINTS)
    return {
        "truth": truth[::step].tolist(),
        "predicted": predicted[::step].tolist(),
        "total": len(truth),
    }
