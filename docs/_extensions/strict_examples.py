"""Examples of the gallery run without a warning."""

import warnings


def stop_at_warnings(_config, _example):
    """Let a warning about an example's code, or from sknn's, end the build."""
    warnings.filterwarnings("error", module=r"sknn|__main__")
