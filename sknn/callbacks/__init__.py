"""Callbacks: told of each epoch of a fit, and able to end it."""

from sknn.callbacks.base import Callback, EpochInfo
from sknn.callbacks.checkpoint import Checkpoint
from sknn.callbacks.logs import CSVLog, JSONLog
from sknn.callbacks.progress import ProgressBar
from sknn.callbacks.time_limit import TimeLimit

__all__ = [
    "CSVLog",
    "Callback",
    "Checkpoint",
    "EpochInfo",
    "JSONLog",
    "ProgressBar",
    "TimeLimit",
]
