"""MLPAutoencoder: learns to reconstruct its input through a few values."""

from __future__ import annotations

from typing import Any

from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_array
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from sknn._array import Array
from sknn.estimators._architecture import Architecture, as_planned
from sknn.estimators._blocks import in_blocks
from sknn.estimators._build import build_autoencoder
from sknn.estimators._chunks import refuse_chunks
from sknn.estimators._mlp_parameters import ATTRIBUTES, AUTOENCODER
from sknn.estimators._parameters import document
from sknn.estimators._publication import of_one_model
from sknn.estimators._reading import as_plain, reading
from sknn.estimators._stored import storable
from sknn.estimators._targets import InputTargets, Targets
from sknn.estimators.mlp import BaseMLP, can_go_on
from sknn.layers import Layer


@storable
@document(AUTOENCODER, ATTRIBUTES)
class MLPAutoencoder(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseMLP):
    """Autoencoder: compresses samples to a few values and reconstructs them.

    An encoder, a linear layer of `n_components` units, and a decoder are trained
    together to give out what went in, by the squared error. With `input_dropout` above
    zero it is a denoising autoencoder. Scale X first: columns of large numbers dominate
    the error.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    {attributes}

    See Also
    --------
    MLPTransformer : Features that a network has learned for a target.
    sklearn.decomposition.PCA : The linear counterpart, in closed form.

    References
    ----------
    Hinton & Salakhutdinov, "Reducing the dimensionality of data with neural networks",
    Science 313, 2006; Vincent et al., "Extracting and composing robust features with
    denoising autoencoders", ICML 2008, section 2.3.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.preprocessing import scale
    >>> from sknn import MLPAutoencoder
    >>> X = scale(load_iris().data)
    >>> auto = MLPAutoencoder(2, (), solver="lbfgs", max_iter=2000, random_state=0)
    >>> codes = auto.fit_transform(X)
    >>> codes.shape, auto.inverse_transform(codes).shape
    ((150, 2), (150, 4))
    >>> auto.score(X) > 0.95
    True
    """

    _rows = AUTOENCODER
    loss = "squared_error"
    layers = None
    categorical_features = None
    categorical_embedding = None
    numeric_embedding = None
    missing = "error"
    _n_encoding: int

    def __init__(
        self,
        n_components: int = 2,
        hidden_layer_sizes: Any = (100,),
        activation: Any = "relu",
        *,
        solver: Any = "adam",
        alpha: float = 0.0001,
        batch_size: Any = "auto",
        learning_rate: Any = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: Any = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: Any = 10,
        max_fun: int = 15000,
        dropout: Any = 0.0,
        max_grad_norm: float | None = None,
        dtype: Any = None,
        scoring: Any = None,
        l1_ratio: float = 0.0,
        average: Any = None,
        normalization: str | None = None,
        residual: bool = False,
        input_dropout: float = 0.0,
        weight_init: Any = "auto",
        diagnostics: bool = False,
        validation_split: Any = None,
        callbacks: Any = None,
        checkpoint: Any = None,
        max_time: float | None = None,
        on_divergence: str = "raise",
    ) -> None:
        self._store(locals())

    def fit(
        self,
        X: Any,
        y: Any = None,
        sample_weight: Any = None,
        *,
        resume_from: Any = None,
    ) -> MLPAutoencoder:
        """Fit the model.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training data.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights, not negative.
        resume_from : str, path-like or None, default=None
            A file that `checkpoint` has left, of a fit with the same parameters and
            data that was broken off: training goes on from it.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        refuse_chunks(self, X, y)
        return super().fit(X, X, sample_weight, resume_from=resume_from)

    @available_if(can_go_on)
    def partial_fit(
        self, X: Any, y: Any = None, sample_weight: Any = None
    ) -> MLPAutoencoder:
        """Train for one epoch over the given data; calls go on from one another.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training data.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights, not negative.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        return self._partial_fit(X, X, sample_weight, None)

    @of_one_model
    def transform(self, X: Any) -> Array:
        """Return the codes of samples.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        codes : ndarray of shape (n_samples, n_components)
            What the encoder makes of them.
        """
        check_is_fitted(self, "_network")
        return self._raw(X, slice(None, self._n_encoding))

    @of_one_model
    def inverse_transform(self, X: Any) -> Array:
        """Return the samples that codes stand for.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_components)
            Codes.

        Returns
        -------
        samples : ndarray of shape (n_samples, n_features)
            What the decoder makes of them.
        """
        check_is_fitted(self, "_network")
        size, n_codes = self._network.block_rows, self._n_features_out
        return in_blocks(self._decode, X, size, n_codes)

    def _decode(self, X: Any) -> Array:
        with reading("X"):
            codes = check_array(as_plain("X", X), dtype=[self._dtype], estimator=self)
        width = self._n_features_out
        if codes.shape[1] != width:
            raise ValueError(
                f"X has {codes.shape[1]} columns, but inverse_transform takes codes of "
                f"n_components={width} values, as transform returns them."
            )
        return self._raw_of(codes, slice(self._n_encoding, None))

    def predict(self, X: Any) -> Array:
        """Reconstruct samples: ``inverse_transform(transform(X))``.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        samples : ndarray of shape (n_samples, n_features)
            Their reconstructions.
        """
        return super().predict(X)

    @of_one_model
    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Return the share of the variance of X that the reconstruction explains.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights.

        Returns
        -------
        score : float
            1 is perfect; PCA's counterpart is the sum of `explained_variance_ratio_`.
        """
        check_is_fitted(self, "_network")
        X = self._check_X(X)
        return self._targets.score(X, self._raw_of(X), sample_weight)

    def _targets_type(self, y: Any, classes: Any) -> type[Targets]:
        return InputTargets

    def _check_data(
        self, X: Any, y: Any, kind: type[Targets], reset: bool = False
    ) -> tuple[Any, Any]:
        X = self._check_X(X, reset)
        return X, kind.check(X)

    def _build_layers(self) -> list[Layer]:
        layers, self._n_encoding = build_autoencoder(self, self.n_features_in_)
        return layers

    def _architecture(
        self, n_features: int | None = None, n_outputs: int | None = None
    ) -> Architecture:
        """Return the layers as they are or, before a fit, as they are planned."""
        if "_network" in vars(self):
            return super()._architecture()
        layers, _ = build_autoencoder(self, n_features or 1)
        return as_planned(layers, n_features, n_features)

    @property
    def _n_features_out(self) -> int:
        return self._of_fit("_network").widths[self._n_encoding]

    def __sklearn_tags__(self) -> Any:
        """Return scikit-learn's tags."""
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = False
        kept = ["float64", "float32"] if self.dtype is None else []
        tags.transformer_tags.preserves_dtype = kept
        return tags
