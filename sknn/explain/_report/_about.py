"""What the model is: its parts, parameters, layers, training and versions.

Reads a fitted estimator as texts and lists; nothing is computed.
"""

from __future__ import annotations

import importlib.metadata
import inspect
import platform
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import numpy as np

from sknn.explain._report._subject import Subject

__all__ = ["core_of", "describe", "training_curves"]

MOST_EPOCHS = 1000  # points of a curve; no screen shows more
LONGEST = 160  # characters of one parameter's value
PACKAGES = ("sknn", "numpy", "scikit-learn", "shap", "lime")
# Where wrappers of scikit-learn keep what they have fitted.
WRAPPED = ("best_estimator_", "regressor_", "estimator_")
CURVES = (
    ("Loss", (("loss", "training"), ("validation_loss", "validation"))),
    ("Score", (("score", "training"), ("validation_score", "validation"))),
)


def core_of(estimator: Any) -> Any:
    """Return the model at the end of a pipeline or within a search."""
    while True:
        steps = getattr(estimator, "steps", None)
        inner = [getattr(estimator, name, None) for name in WRAPPED]
        found = [model for model in inner if hasattr(model, "get_params")]
        if steps and hasattr(steps[-1][1], "get_params"):
            estimator = steps[-1][1]
        elif found:
            estimator = found[0]
        else:
            return estimator


def describe(subject: Subject) -> dict[str, Any]:
    """Return what the head of the page says."""
    core = core_of(subject.estimator)
    return {
        "model": type(core).__name__,
        "rows": int(subject.X.shape[0]),
        "facts": _facts(subject, core),
        "steps": _steps(subject.estimator),
        "parameters": _parameters(core),
        "layers": _layers(core),
    }


def _facts(subject: Subject, core: Any) -> list[list[str]]:
    rows, columns = subject.X.shape
    facts = [["scored rows", f"{rows:,}"], ["columns", f"{columns:,}"]]
    if subject.classes:
        labels = _shortened(", ".join(subject.classes))
        facts.append(["classes", f"{len(subject.classes)}: {labels}"])
    coefs = getattr(core, "coefs_", None)
    if isinstance(coefs, list):
        units = [coefs[0].shape[0], *(kernel.shape[1] for kernel in coefs)]
        facts.append(["units", " → ".join(str(n) for n in units)])
    size = _n_parameters(core)
    if size is not None:
        facts.append(["weights and intercepts", f"{size:,}"])
    epochs = getattr(core, "n_iter_", None)
    if isinstance(epochs, int | np.integer):
        facts.append(["epochs or iterations", f"{epochs:,}"])
    now = datetime.now(UTC)
    return [
        *facts,
        ["computed", f"{now:%Y-%m-%d %H:%M} UTC"],
        ["versions", _versions()],
    ]


def _n_parameters(core: Any) -> int | None:
    """Count the numbers that a network has learned."""
    network: Any = getattr(core, "_network", None)
    if hasattr(network, "n_parameters"):
        return int(network.n_parameters)
    arrays: list[Any] = [
        getattr(core, name, None) for name in ("coefs_", "intercepts_")
    ]
    if not all(isinstance(array, list) for array in arrays):
        return None
    return sum(int(part.size) for array in arrays for part in array)


def _layers(core: Any) -> list[list[str]]:
    """Return description, width and number of parameters of each layer."""
    network: Any = getattr(core, "_network", None)
    if not hasattr(network, "layers") or not hasattr(network, "widths"):
        return []
    widths = [str(width) for width in network.widths[1:]]
    sizes = [f"{sum(p.size for p in view.values()):,}" for view in network.views]
    names = [_shortened(repr(layer)) for layer in network.layers]
    return [list(row) for row in zip(names, widths, sizes, strict=True)]


def _steps(estimator: Any) -> list[list[str]]:
    estimator = getattr(estimator, "best_estimator_", estimator)
    steps = getattr(estimator, "steps", [])
    return [[name, _shortened(repr(step), 400)] for name, step in steps]


def _parameters(core: Any) -> list[list[Any]]:
    """Return name, value and whether it was set; what was set comes first."""
    defaults = _defaults(type(core))
    rows = []
    for name, value in core.get_params(deep=False).items():
        text = _shortened(repr(value))
        is_set = name not in defaults or text != _shortened(repr(defaults[name]))
        rows.append([name, text, is_set])
    return sorted(rows, key=lambda row: not row[2])


def _defaults(kind: type) -> dict[str, Any]:
    parameters = inspect.signature(kind).parameters.values()
    return {p.name: p.default for p in parameters if p.default is not p.empty}


def _versions() -> str:
    found = [f"Python {platform.python_version()}"]
    for package in PACKAGES:
        with suppress(importlib.metadata.PackageNotFoundError):
            found.append(f"{package} {importlib.metadata.version(package)}")
    return ", ".join(found)


def _shortened(text: str, longest: int = LONGEST) -> str:
    text = " ".join(text.split())
    return text if len(text) <= longest else text[: longest - 1] + "…"


def training_curves(estimator: Any) -> list[dict[str, Any]]:
    """Return loss and score per epoch, where the model kept them."""
    core = core_of(estimator)
    history = getattr(core, "history_", None)
    if not isinstance(history, dict):
        history = {
            "loss": getattr(core, "loss_curve_", None),
            "validation_score": getattr(core, "validation_scores_", None),
        }
    curves = []
    for name, parts in CURVES:
        series = [
            {"name": label, "values": [float(value) for value in history[key]]}
            for key, label in parts
            if _is_curve(history.get(key))
        ]
        if series:
            curves.append(_thinned(name, series))
    return curves


def _thinned(name: str, series: list[dict[str, Any]]) -> dict[str, Any]:
    """Keep evenly spaced epochs, the last one among them."""
    n = max(len(line["values"]) for line in series)
    step = -(-n // MOST_EPOCHS)
    kept = range((n - 1) % step, n, step)
    for line in series:
        line["values"] = [line["values"][i] for i in kept if i < len(line["values"])]
    return {"name": name, "epochs": [i + 1 for i in kept], "series": series}


def _is_curve(values: Any) -> bool:
    if not isinstance(values, list) or not values:
        return False
    return all(np.ndim(value) == 0 for value in values)
