"""Training loops: minibatch descent, L-BFGS and the perceptron rule."""

from sknn.training.batches import Batches
from sknn.training.lbfgs import minimize_lbfgs
from sknn.training.state import TrainingState
from sknn.training.stopping import CyclePatience, Patience
from sknn.training.trainer import Epoch, train

__all__ = [
    "Batches",
    "CyclePatience",
    "Epoch",
    "Patience",
    "TrainingState",
    "minimize_lbfgs",
    "train",
]
