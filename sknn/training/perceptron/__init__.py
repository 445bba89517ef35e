"""The perceptron rule on plain arrays: problems, steps, passes and epochs."""

from sknn.training.perceptron.pocket import Pocket
from sknn.training.perceptron.rule import Rule
from sknn.training.perceptron.state import Average, State, Weights
from sknn.training.perceptron.targets import Joint, OneVsRest, Targets
from sknn.training.perceptron.trainer import Epoch, Samples, Stopping, Training

__all__ = [
    "Average",
    "Epoch",
    "Joint",
    "OneVsRest",
    "Pocket",
    "Rule",
    "Samples",
    "State",
    "Stopping",
    "Targets",
    "Training",
    "Weights",
]
