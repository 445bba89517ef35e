"""The constructor parameters that describe layers and columns, one row each."""

from __future__ import annotations

from sknn.estimators._parameters import (
    BOOLEAN,
    NONE,
    RATE,
    Allowed,
    Parameter,
    instance_of,
    one_of,
    real,
    sequence_of,
)
from sknn.initializers import Initializer
from sknn.layers import Embedding, Layer

LAYER_PARAMETERS: dict[str, Parameter] = {
    "normalization": Parameter(
        "{'batch', 'layer'} or None, default=None",
        """
        What stands between each hidden kernel and its activation: normalisation over
        the samples of a batch, over the units of a sample, or nothing.
        """,
        NONE | one_of("batch", "layer"),
    ),
    "residual": Parameter(
        "bool, default=False",
        """
        Whether each hidden layer adds its output, before normalisation and activation,
        to that of the one before; where their widths differ, a trained projection
        stands between. Lets deep networks train.
        """,
        BOOLEAN,
    ),
    "input_dropout": Parameter(
        "float, default=0.0",
        """
        Share of the inputs of the first kernel dropped at random in each training step,
        in [0, 1).
        """,
        RATE,
    ),
    "weight_init": Parameter(
        "{'auto', 'glorot', 'he', 'lecun', 'orthogonal'} or Initializer, "
        "default='auto'",
        """
        How kernels start; 'auto' is what `activation` says. With any other intercepts
        start at zero.
        """,
        one_of("auto", "glorot", "he", "lecun", "orthogonal")
        | instance_of(Initializer, "a sknn.initializers.Initializer"),
    ),
    "parametrization": Parameter(
        "{'standard', 'ntk'}, default='standard'",
        """
        With 'ntk', the neural tangent one, kernels of `n` inputs start with variance
        ``1 / n`` and learn at a rate divided by the root of `n`, intercepts start
        normal and learn at a tenth, and the output layer starts at zero: one
        `learning_rate_init` then suits all widths, about 0.04 with 'adam'.
        """,
        one_of("standard", "ntk"),
    ),
    "input_scale": Parameter(
        "float or None, default=None",
        """
        Whether each input of the first kernel is multiplied with a factor that is
        trained, at a learning rate this many times as high; None has no such factors.
        """,
        NONE | real(0.0, closed="right"),
    ),
    "layers": Parameter(
        "list of Layer or None, default=None",
        """
        The hidden layers one by one, such as ``[Dense(64), BatchNorm(),
        Activation("gelu"), Dropout(0.1)]`` with names from ``sknn.layers``; the output
        layer is added. Instead of `hidden_layer_sizes`, `activation`, `dropout`,
        `normalization`, `residual`, `weight_init` and `parametrization`, which must
        stay at their defaults.
        """,
        NONE | sequence_of(instance_of(Layer, "a sknn.layers.Layer"), "a list of them"),
    ),
    "categorical_features": Parameter(
        "'from_dtype', array-like of str, int or bool, or None, default=None",
        """
        The columns of X that hold categories: their names, indices or a mask of shape
        (n_features,), or with 'from_dtype' those columns of a data frame that hold
        strings, categories or booleans. Categories not seen in `fit` and missing ones
        share a slot of their own. None: X holds numbers only.
        """,
        NONE
        | one_of("from_dtype")
        | sequence_of(Allowed("anything", lambda _: True), "an array-like"),
    ),
    "categorical_embedding": Parameter(
        "Embedding or None, default=None",
        """
        How categories enter the network; None is ``Embedding()``: one-hot for a few
        categories, vectors that are learned for more.
        """,
        NONE | instance_of(Embedding, "a sknn.layers.Embedding"),
    ),
    "numeric_embedding": Parameter(
        "str, Layer or None, default=None",
        """
        How numbers enter the network: as they are, or each as several values, through
        periodic functions with learned frequencies ('plr', 'pbld'), by its place among
        48 quantiles of the training data ('piecewise_linear'), or through 8 trained
        piecewise linear functions with 32 pieces ('piecewise_linear_embedding'). A
        layer from ``sknn.layers`` carries its own parameters. Scale X first.
        """,
        NONE
        | one_of("plr", "pbld", "piecewise_linear", "piecewise_linear_embedding")
        | instance_of(Layer, "a sknn.layers.Layer"),
    ),
    "missing": Parameter(
        "{'error', 'mean', 'indicator'}, default='error'",
        """
        What NaN in a column of numbers is: an error, the mean of the column, or the
        mean together with a further column that tells where it was missing, for each
        column with NaN in `fit`. Under ``scaling='robust'`` it is the median.
        """,
        one_of("error", "mean", "indicator"),
    ),
    "scaling": Parameter(
        "{'standard', 'robust'} or None, default=None",
        """
        How columns of numbers are scaled before the network: to mean 0 and variance 1,
        or by median and quartiles with outliers clipped smoothly at 3, so that they
        stay in order. None leaves them as they are.
        """,
        NONE | one_of("standard", "robust"),
    ),
}
