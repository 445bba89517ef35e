"""The estimators: scikit-learn's interface over the core."""

from sknn.estimators.classifier import MLPClassifier
from sknn.estimators.estimator import MLPEstimator
from sknn.estimators.perceptron import PerceptronClassifier
from sknn.estimators.regressor import MLPRegressor

__all__ = ["MLPClassifier", "MLPEstimator", "MLPRegressor", "PerceptronClassifier"]
