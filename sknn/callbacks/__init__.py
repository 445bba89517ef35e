"""Callbacks: told of each epoch of a fit, and able to end it."""

from sknn.callbacks.base import Callback, EpochInfo
from sknn.callbacks.time_limit import TimeLimit

__all__ = ["Callback", "EpochInfo", "TimeLimit"]
