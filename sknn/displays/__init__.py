"""Pictures of networks: what they learned, how they learned it, what they consist of.

Follows scikit-learn's Display objects; matplotlib is imported when something is drawn.
"""

from sknn.displays._columns import Arc, Column
from sknn.displays._curves import Curve
from sknn.displays.gradient_flow import GradientFlowDisplay
from sknn.displays.loss_curve import LossCurveDisplay
from sknn.displays.network import NetworkDisplay
from sknn.displays.weights import WeightsDisplay

__all__ = [
    "Arc",
    "Column",
    "Curve",
    "GradientFlowDisplay",
    "LossCurveDisplay",
    "NetworkDisplay",
    "WeightsDisplay",
]
