"""The constructor parameters of the multi-layer perceptrons, one row each.

A new keyword is one row here and one line in the constructors that take it.
"""

from __future__ import annotations

import numpy as np

from sknn.activations import ACTIVATIONS
from sknn.estimators._control_parameters import CONTROL_PARAMETERS
from sknn.estimators._layer_parameters import LAYER_PARAMETERS
from sknn.estimators._parameters import (
    BOOLEAN,
    CLASS_WEIGHT,
    INFINITY,
    NONE,
    RANDOM_STATE,
    RATE,
    VERBOSE,
    Allowed,
    Parameter,
    instance_of,
    integer,
    named_in,
    one_of,
    real,
    sequence_of,
)
from sknn.losses import LOSSES, Loss
from sknn.optimizers import OPTIMIZERS, Optimizer
from sknn.schedules import SCHEDULES, Schedule
from sknn.training.averaging import AVERAGES, Averaging

_ACTIVATION = named_in(ACTIVATIONS)


def _is_float_dtype(value: object) -> bool:
    if not isinstance(value, (str, type, np.dtype)):
        return False
    try:
        return np.dtype(value) in (np.float32, np.float64)
    except TypeError:
        return False


_DTYPE = NONE | Allowed(
    "'float32', 'float64' or the numpy dtype of that name",
    lambda value: value is not None and _is_float_dtype(value),
)
_SCORING = (
    NONE
    | instance_of(str, "the name of a scikit-learn scorer, 'loss'")
    | Allowed(
        "a callable (estimator, X, y) -> float",
        lambda value: callable(value) and not isinstance(value, type),
    )
)

_REGRESSION_LOSS = named_in(LOSSES, without=("binary_", "multinomial_"))

PARAMETERS: dict[str, Parameter] = {
    "task": Parameter(
        "{'auto', 'classification', 'regression'}, default='auto'",
        """
        What is predicted. 'auto' decides at the first fit: labels that are strings,
        objects or booleans and two-dimensional 0/1 integers are classes, floats are
        numbers, and integers are classes if there are at most
        ``max(20, sqrt(n_samples))`` different ones. An unfitted 'auto' says that it is
        a classifier: name the task when a regression is cross-validated.
        """,
        one_of("auto", "classification", "regression"),
    ),
    "loss": Parameter(
        "str or Loss, default='squared_error'",
        """
        'squared_error' (half of it, summed over outputs), 'absolute_error', 'huber',
        'quantile' with `quantile`, 'gaussian_nll' (a mean and a standard deviation for
        each sample), or with ``exp`` behind the network half the deviance of 'poisson'
        and 'tweedie' (``y >= 0``) or 'gamma' (``y > 0``); or an object from
        ``sknn.losses``, which carries its own parameters.
        """,
        _REGRESSION_LOSS | instance_of(Loss, "a sknn.losses.Loss"),
    ),
    "hidden_layer_sizes": Parameter(
        "int or array-like of int of shape (n_layers - 2,), default=(100,)",
        """
        Number of units of each hidden layer; ``()`` makes a linear model.
        """,
        sequence_of(Allowed("anything", lambda _: True), "an array-like") | integer(1),
    ),
    "activation": Parameter(
        "str or sequence of str, default='relu'",
        """
        Activation of the hidden layers, or one for each of them: 'identity',
        'logistic', 'tanh', 'relu', 'leaky_relu' (slope 0.01), 'elu', 'selu', 'gelu'
        (the exact one), 'silu', 'mish' or 'softplus'. Kernels and intercepts start by
        Glorot's uniform rule as in scikit-learn; with 'selu' kernels by LeCun's and
        intercepts at zero.
        """,
        _ACTIVATION
        | sequence_of(_ACTIVATION, "a sequence of such names, one per hidden layer"),
    ),
    "solver": Parameter(
        "str or Optimizer, default='adam'",
        """
        'lbfgs' uses all samples at each step and suits small data; 'sgd', 'adam',
        'adamw', 'nadam', 'adagrad', 'rmsprop' and 'lion' use minibatches. An object
        from ``sknn.optimizers`` carries its own parameters.
        """,
        named_in(OPTIMIZERS, "lbfgs") | instance_of(Optimizer, "a sknn Optimizer"),
    ),
    "alpha": Parameter(
        "float, default=0.0001",
        """
        Strength of the penalty on kernels, ``alpha / (2 n) * ||W||^2`` with `n` the
        samples of a minibatch; see `l1_ratio`.
        """,
        real(0.0),
    ),
    "batch_size": Parameter(
        "int or 'auto', default='auto'",
        """
        Samples per minibatch; 'auto' is ``min(200, n_samples)``. Not used by 'lbfgs'.
        """,
        one_of("auto") | integer(1),
    ),
    "learning_rate": Parameter(
        "str or Schedule, default='constant'",
        """
        How the rate moves from `learning_rate_init`: 'constant', 'invscaling' (as
        ``learning_rate_init / (t + 1) ** power_t`` after `t` samples) or 'adaptive'
        (divided by 5 whenever there was no improvement for `n_iter_no_change` epochs),
        the latter two with ``solver='sgd'`` only, as in scikit-learn; for every
        stochastic solver 'plateau', 'step', 'exponential', 'warmup', and over the
        `max_iter` epochs of the fit 'cosine', 'one_cycle', 'coslog4', 'flat_cos'. An
        object from ``sknn.schedules`` carries its own parameters.
        """,
        named_in(SCHEDULES) | instance_of(Schedule, "a sknn.schedules.Schedule"),
    ),
    "learning_rate_init": Parameter(
        "float, default=0.001",
        """
        The initial learning rate of all solvers but 'lbfgs'.
        """,
        real(0.0, closed="right"),
    ),
    "power_t": Parameter(
        "float, default=0.5",
        """
        Exponent of ``learning_rate='invscaling'``.
        """,
        real(0.0),
    ),
    "max_iter": Parameter(
        "int, default=200",
        """
        Largest number of epochs, or of iterations of 'lbfgs'.
        """,
        integer(1),
    ),
    "shuffle": Parameter(
        "bool, default=True",
        """
        Whether each epoch visits the samples in a new order.
        """,
        BOOLEAN,
    ),
    "random_state": Parameter(
        "int, RandomState instance or None, default=None",
        """
        Determines initial weights, order of samples, the split of early stopping and
        dropout. An int gives the same fit each time.
        """,
        RANDOM_STATE,
    ),
    "tol": Parameter(
        "float, default=1e-4",
        """
        Smallest improvement of the loss, or of the validation score, that counts; for
        'lbfgs' the largest component of the gradient at the end.
        """,
        real(0.0),
    ),
    "verbose": Parameter(
        "bool or int, default=False",
        """
        Whether to print a line for each epoch.
        """,
        VERBOSE,
    ),
    "warm_start": Parameter(
        "bool, default=False",
        """
        Whether `fit` goes on from the last fit: parameters, the optimiser's memory and
        the random state, so that 5 epochs and 5 more equal 10.
        """,
        BOOLEAN,
    ),
    "momentum": Parameter(
        "float, default=0.9",
        """
        Momentum of 'sgd', between 0 and 1.
        """,
        real(0.0, 1.0),
    ),
    "nesterovs_momentum": Parameter(
        "bool, default=True",
        """
        Whether the momentum of 'sgd' is Nesterov's.
        """,
        BOOLEAN,
    ),
    "early_stopping": Parameter(
        "bool, default=False",
        """
        Whether to hold out part of the training data (stratified for classes), stop
        when its score no longer improves and keep the best weights. Not used by
        'lbfgs' unless `fit` is given validation data.
        """,
        BOOLEAN,
    ),
    "validation_fraction": Parameter(
        "float, default=0.1",
        """
        Share of the training data that early stopping holds out.
        """,
        real(0.0, 1.0, "left"),
    ),
    "beta_1": Parameter(
        "float, default=0.9",
        """
        Decay of 'adam', 'adamw' and 'nadam' for the mean of gradients, in [0, 1).
        """,
        RATE,
    ),
    "beta_2": Parameter(
        "float, default=0.999",
        """
        Decay of the same for the mean of squared gradients, in [0, 1).
        """,
        RATE,
    ),
    "epsilon": Parameter(
        "float, default=1e-8",
        """
        Added to their denominator.
        """,
        real(0.0, closed="right"),
    ),
    "n_iter_no_change": Parameter(
        "int, 'cycle' or inf, default=10",
        """
        Epochs without an improvement of `tol` that are borne before training ends.
        With 'cycle' whole cycles of the learning rate are: training ends where one of
        ``learning_rate='coslog4'`` has brought nothing, and with schedules that have no
        cycles at `max_iter`.
        """,
        integer(1) | INFINITY | one_of("cycle"),
    ),
    "max_fun": Parameter(
        "int, default=15000",
        """
        Largest number of evaluations of 'lbfgs'.
        """,
        integer(1),
    ),
    "class_weight": Parameter(
        "dict, 'balanced', list of dict or None, default=None",
        """
        Weights of classes, multiplied with `sample_weight`. 'balanced' makes the
        classes weigh the same in total; a list has one dict for each label of a
        multilabel target.
        """,
        CLASS_WEIGHT,
    ),
    "dropout": Parameter(
        "float or sequence of float, default=0.0",
        """
        Share of hidden units dropped at random in each training step, in [0, 1); one
        number for all hidden layers or one for each.
        """,
        RATE | sequence_of(RATE, "a sequence of such floats, one per hidden layer"),
    ),
    "max_grad_norm": Parameter(
        "float or None, default=None",
        """
        Largest Euclidean norm of the gradient of a minibatch; longer ones are scaled
        down. Not used by 'lbfgs'.
        """,
        NONE | real(0.0, closed="right"),
    ),
    "dtype": Parameter(
        "{'float32', 'float64'}, numpy dtype or None, default=None",
        """
        Precision of parameters and computation; None takes that of X. 'float32' takes
        half the time and memory; X is cast a batch at a time.
        """,
        _DTYPE,
    ),
    "scoring": Parameter(
        "str, callable or None, default=None",
        """
        Score of the validation data that early stopping watches and `history_` holds:
        None is accuracy or R2 (with `class_weight` the same as 'loss'), 'loss' the
        negative validation loss, otherwise a scikit-learn scorer, for which the
        training data is scored too.
        """,
        _SCORING,
    ),
    "l1_ratio": Parameter(
        "float, default=0.0",
        """
        Share of the penalty that is ``alpha / n * ||W||_1`` instead, in [0, 1]; it
        draws weights to zero, though gradient steps seldom leave them there exactly.
        """,
        real(0.0, 1.0),
    ),
    "average": Parameter(
        "{'ema', 'swa'}, Averaging or None, default=None",
        """
        Whether the fitted weights are an average along training, which validation
        scores then judge: 'ema' over all steps with decay 0.999, 'swa' the mean of the
        last quarter of `max_iter` epochs; or an object from
        ``sknn.training.averaging``. Not used by 'lbfgs'.
        """,
        NONE | named_in(AVERAGES) | instance_of(Averaging, "a sknn Averaging"),
    ),
    **LAYER_PARAMETERS,
    "quantile": Parameter(
        "float, sequence of float or None, default=None",
        """
        The quantile of ``loss='quantile'``, or several in ascending order that do not
        cross; None is the median.
        """,
        NONE
        | real(0.0, 1.0, "neither")
        | sequence_of(real(0.0, 1.0, "neither"), "a sequence of such floats"),
    ),
    "normalize_y": Parameter(
        "bool, default=False",
        """
        Whether the network learns y with mean 0 and variance 1. Predictions and scores
        are in y's own units, losses and their curves in those of the network.
        """,
        BOOLEAN,
    ),
    "monotonic_cst": Parameter(
        "array-like of int of shape (n_features,), dict or None, default=None",
        """
        How the prediction must move with each feature, or by name with some: 1 it never
        falls, -1 it never rises, 0 it is free. Guaranteed by the layers
        (`sknn.layers.MonotonicDense`, of whose `coefs_` absolute values are used); for
        two classes, labels or numbers. Not together with normalisation, residual
        blocks, embeddings, categories, lists of layers, 'gelu', 'silu' or 'mish'.
        """,
        NONE
        | instance_of(dict, "a dict")
        | sequence_of(Allowed("anything", lambda _: True), "an array-like"),
    ),
    "label_smoothing": Parameter(
        "float, default=0.0",
        """
        Share of each label that is spread evenly over all classes, in [0, 1).
        """,
        RATE,
    ),
    "diagnostics": Parameter(
        "bool, default=False",
        """
        Whether `history_` records for each epoch and layer the norm of the gradient and
        the shares of dead and of saturated units, and whether `fit` warns of what is
        ill and says what helps. Costs one pass over up to 256 samples an epoch.
        """,
        BOOLEAN,
    ),
    **CONTROL_PARAMETERS,
}


_CLASS_LOSS = Parameter(
    "{'log_loss', 'focal'} or Loss, default='log_loss'",
    """
    'focal' gives less weight to what is classified well already; an object from
    ``sknn.losses`` carries its own parameters.
    """,
    one_of("log_loss", "focal") | instance_of(Loss, "a sknn.losses.Loss"),
)
_AUTO_LOSS = Parameter(
    "str or Loss, default='auto'",
    """
    'auto' is 'log_loss' for labels and 'squared_error' for numbers. For labels also
    'focal', for numbers those of `MLPRegressor`.
    """,
    one_of("auto", "log_loss", "focal") | PARAMETERS["loss"].allowed,
)


def _without(*names: str) -> dict[str, Parameter]:
    return {name: row for name, row in PARAMETERS.items() if name not in names}


CLASSIFIER = {
    **_without("task", "loss", "quantile", "normalize_y"),
    "loss": _CLASS_LOSS,
}
REGRESSOR = _without("task", "class_weight", "label_smoothing")
_SHAPE = {name: PARAMETERS[name] for name in ("hidden_layer_sizes", "activation")}
ESTIMATOR = {
    **_SHAPE,
    "task": PARAMETERS["task"],
    "loss": _AUTO_LOSS,
    **_without("task", "loss", *_SHAPE),
}

_CODED = (
    *("task", "loss", "class_weight", "layers", "missing", "numeric_embedding"),
    *("scaling", "parametrization", "input_scale"),
    *("categorical_features", "categorical_embedding"),
    *("quantile", "normalize_y", "label_smoothing", "monotonic_cst"),
)
AUTOENCODER = {
    "n_components": Parameter(
        "int, default=2",
        """
        Number of values that `transform` makes of a sample.
        """,
        integer(1),
    ),
    "hidden_layer_sizes": Parameter(
        PARAMETERS["hidden_layer_sizes"].type_line,
        """
        Units of the encoder's hidden layers; those of the decoder mirror them. ``()``
        makes a linear model, whose best codes span the space of PCA's.
        """,
        PARAMETERS["hidden_layer_sizes"].allowed,
    ),
    **_without("hidden_layer_sizes", *_CODED),
}

# Fitted attributes that all of them have, for their docstrings.
ATTRIBUTES = """
n_features_in_ : int
    Number of features seen in `fit`.
feature_names_in_ : ndarray of shape (`n_features_in_`,)
    Their names, if X had names that are all strings.
n_outputs_ : int
    Number of outputs of the network.
n_layers_ : int
    Number of layers, input and output included.
out_activation_ : str
    Function behind the network's output: 'softmax' or 'logistic' for classes,
    'identity' or 'exp' for numbers.
coefs_ : list of ndarray
    Kernels; the i-th is of shape (units of layer i, units of layer i + 1).
intercepts_ : list of ndarray
    Intercepts; the i-th is of shape (units of layer i + 1,).
categories_ : dict of ndarray
    Categories of each categorical column, by its name, or by its index if X had none.
embeddings_ : dict of ndarray
    The rows that were learned for them, each of shape (n_categories + 1, dim), the last
    for unseen and missing ones; columns that are one-hot have none.
loss_ : float
    Loss of the last epoch.
best_loss_ : float or None
    Smallest loss of an epoch; None under early stopping.
loss_curve_ : list of float
    Loss of each epoch.
validation_scores_ : list of float or None
    Score of the held data after each epoch, under early stopping.
best_validation_score_ : float or None
    Largest of them; the weights are those of that epoch.
best_iter_ : int or None
    That epoch, counted from 1 since the first fit; None without early stopping.
history_ : dict of list
    One entry per epoch: `epoch`, `loss`, `time` (seconds), and where they apply
    `score`, `validation_loss`, `validation_score`, `learning_rate`; with `diagnostics`
    also `gradient_norm`, `dead_units`, `saturated_units`, a list per layer each.
n_iter_ : int
    Epochs, or iterations, of the last call.
t_ : int
    Samples seen by the optimiser.
"""
