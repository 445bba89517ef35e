"""MLPTransformer: what a network has learned, as features for other estimators."""

from __future__ import annotations

import copy
import numbers
from typing import Any

import sklearn
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    MetaEstimatorMixin,
    TransformerMixin,
    clone,
)
from sklearn.frozen import FrozenEstimator
from sklearn.utils import get_tags
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    process_routing,
)
from sklearn.utils.validation import check_is_fitted

from sknn._array import Array
from sknn.estimators._architecture import Architecture
from sknn.estimators._html import ArchitectureHTML
from sknn.estimators._parameters import InvalidParameterError
from sknn.estimators._publication import of_one_model
from sknn.estimators._stored import storable
from sknn.estimators.estimator import MLPEstimator
from sknn.layers import Dense, Layer


@storable
class MLPTransformer(
    ClassNamePrefixFeaturesOutMixin,
    MetaEstimatorMixin,
    TransformerMixin,
    ArchitectureHTML,
    BaseEstimator,
):
    """Activations of a hidden layer of a network, as features.

    Fits a copy of the network and gives out what one of its hidden layers computes. A
    fitted network is used as it is inside ``sklearn.frozen.FrozenEstimator``.

    Parameters
    ----------
    estimator : MLPClassifier, MLPRegressor, MLPEstimator or None, default=None
        The network; None is ``MLPEstimator()``.
    layer : int, default=-1
        The hidden layer, counted from 0 or, if negative, from the last; its activations
        are the input of ``estimator_.coefs_[layer + 1]``. In residual networks, the sum
        that reaches the next block.

    random_state : int, RandomState instance or None, default=None
        Seed given to the network; None leaves the network's own.

    Attributes
    ----------
    estimator_ : estimator
        The fitted network.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Their names, if X had names that are all strings.

    See Also
    --------
    MLPAutoencoder : Features that are learned without a target.

    References
    ----------
    Donahue et al., "DeCAF: a deep convolutional activation feature for generic visual
    recognition", ICML 2014.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sknn import MLPClassifier, MLPTransformer
    >>> X, y = load_iris(return_X_y=True)
    >>> network = MLPClassifier((8,), solver="lbfgs", random_state=0, max_iter=500)
    >>> features = MLPTransformer(network)
    >>> model = make_pipeline(StandardScaler(), features, LogisticRegression())
    >>> model.fit(X, y)[:-1].transform(X).shape
    (150, 8)
    """

    def __init__(
        self, estimator: Any = None, *, layer: int = -1, random_state: Any = None
    ) -> None:
        self.estimator = estimator
        self.layer = layer
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None, **fit_params: Any) -> MLPTransformer:
        """Fit a copy of the network.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training data.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            What the network learns to predict.
        **fit_params : dict
            Passed to the network's `fit`; under metadata routing what it requests.

        Returns
        -------
        self : object
            The fitted transformer.
        """
        network = self._network_to_fit()
        if sklearn.get_config()["enable_metadata_routing"]:
            fit_params = process_routing(self, "fit", **fit_params).estimator.fit
        network.fit(X, y, **fit_params)
        _find_layer(network, self.layer)
        draft = copy.copy(self)
        draft.__dict__.pop("feature_names_in_", None)
        draft.estimator_ = network
        draft.n_features_in_ = network.n_features_in_
        if hasattr(network, "feature_names_in_"):
            draft.feature_names_in_ = network.feature_names_in_
        self.__dict__ = draft.__dict__
        return self

    @of_one_model
    def transform(self, X: Any) -> Array:
        """Return the activations of the hidden layer.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Input.

        Returns
        -------
        features : ndarray of shape (n_samples, n_units)
            One column for each unit of the layer.
        """
        check_is_fitted(self, "estimator_")
        end = _find_layer(self.estimator_, self.layer)
        return self.estimator_._raw(X, slice(None, end))

    @property
    def _n_features_out(self) -> int:
        end = _find_layer(self.estimator_, self.layer)
        return self.estimator_._network.widths[end]

    def _network_to_fit(self) -> Any:
        is_network = hasattr(self.estimator, "_raw") and not isinstance(
            self.estimator, type
        )
        if self.estimator is not None and not is_network:
            raise InvalidParameterError(
                "The 'estimator' parameter of MLPTransformer must be an MLPClassifier, "
                "MLPRegressor, MLPEstimator, one of them in a FrozenEstimator, or None."
                f" Got {self.estimator!r} instead."
            )
        network = MLPEstimator() if self.estimator is None else clone(self.estimator)
        if self.random_state is not None:
            network.set_params(random_state=self.random_state)
        return network

    def _architecture(
        self, n_features: int | None = None, n_outputs: int | None = None
    ) -> Architecture:
        """Return the layers of the network, fitted or not."""
        network = getattr(self, "estimator_", None) or self.estimator or MLPEstimator()
        if isinstance(network, FrozenEstimator):
            network = network.estimator
        return network._architecture(n_features, n_outputs)

    def get_metadata_routing(self) -> MetadataRouter:
        """Return what is routed to the network.

        Returns
        -------
        routing : MetadataRouter
            Metadata of `fit`, passed on to the network's `fit`.
        """
        mapping = MethodMapping().add(caller="fit", callee="fit")
        router = MetadataRouter(owner=type(self).__name__)
        return router.add(
            estimator=self.estimator or MLPEstimator(), method_mapping=mapping
        )

    def __sklearn_tags__(self) -> Any:
        """Return scikit-learn's tags: of the input those of the network."""
        tags = super().__sklearn_tags__()
        known = hasattr(self.estimator, "_raw") and not isinstance(self.estimator, type)
        inner = get_tags(self.estimator if known else MLPEstimator())
        tags.input_tags = inner.input_tags
        tags.target_tags.required = inner.target_tags.required
        casts = getattr(self.estimator, "dtype", None) is not None
        tags.transformer_tags.preserves_dtype = [] if casts else ["float64", "float32"]
        return tags


def _find_layer(network: Any, index: Any) -> int:
    """Return how many layers of the network come before the kernel behind a layer."""
    layers = network._network.layers
    kernels = [i for i, layer in enumerate(layers) for _ in range(_n_kernels(layer))]
    hidden = kernels[1:]
    whole = isinstance(index, numbers.Integral) and not isinstance(index, bool)
    if not whole or not -len(hidden) <= index < len(hidden):
        raise InvalidParameterError(
            "The 'layer' parameter of MLPTransformer must be an int in the range "
            f"[{-len(hidden)}, {len(hidden)}): the network has {len(hidden)} hidden "
            f"layer(s). Got {index!r} instead."
        )
    return hidden[index]


def _n_kernels(layer: Layer) -> int:
    inner = sum(_n_kernels(child) for _, child in layer.children())
    return inner + isinstance(layer, Dense)
