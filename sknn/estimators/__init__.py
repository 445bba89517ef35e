"""The estimators: scikit-learn's interface over the core."""

from sknn.estimators.autoencoder import MLPAutoencoder
from sknn.estimators.classifier import MLPClassifier
from sknn.estimators.ensemble import MLPEnsembleClassifier, MLPEnsembleRegressor
from sknn.estimators.estimator import MLPEstimator
from sknn.estimators.perceptron import PerceptronClassifier
from sknn.estimators.regressor import MLPRegressor
from sknn.estimators.tabular import TabularMLPClassifier, TabularMLPRegressor
from sknn.estimators.transformer import MLPTransformer

__all__ = [
    "MLPAutoencoder",
    "MLPClassifier",
    "MLPEnsembleClassifier",
    "MLPEnsembleRegressor",
    "MLPEstimator",
    "MLPRegressor",
    "MLPTransformer",
    "PerceptronClassifier",
    "TabularMLPClassifier",
    "TabularMLPRegressor",
]
