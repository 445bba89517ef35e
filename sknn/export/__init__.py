"""Fitted estimators for others: ONNX, scikit-learn's classes, PyTorch's names.

Packages that are not needed otherwise are imported when something is exported to them.
"""

from sknn.export._layers import layer_rule
from sknn.export._model import to_onnx
from sknn.export._scikit import from_sklearn, to_sklearn
from sknn.export._skl2onnx import register_skl2onnx
from sknn.export._torch import TorchNetwork, to_torch

__all__ = [
    "TorchNetwork",
    "from_sklearn",
    "layer_rule",
    "register_skl2onnx",
    "to_onnx",
    "to_sklearn",
    "to_torch",
]
