"""The version of sknn and of all it stands on, and a look for an impostor.

Knows no room of the package and imports nothing beyond the standard library until
`show_versions` is called.
"""

from __future__ import annotations

import importlib.metadata
import platform
import sys
import warnings

__all__ = ["__version__", "show_versions"]

__version__ = "0.1.0"

REQUIRED = ("numpy", "scipy", "scikit-learn", "joblib", "threadpoolctl")
OPTIONAL = ("shap", "lime", "matplotlib", "onnx", "onnxruntime", "pandas", "polars")


def show_versions() -> None:
    """Print what a bug report should say about this installation.

    The listing names Python, the platform, sknn, its dependencies, the optional
    packages (each with its version or ``not installed``), and the libraries that
    run matrix products and threads, as `threadpoolctl` finds them.

    Examples
    --------
    >>> import sknn
    >>> sknn.show_versions()
    System
        python: ...
        platform: ...
    <BLANKLINE>
    Packages
        sknn: ...
    """
    # The BLAS libraries show only once the packages that carry them are loaded.
    import scipy.linalg  # noqa: F401
    import threadpoolctl

    _print_section(
        "System",
        {"python": sys.version.split()[0], "platform": platform.platform()},
    )
    print()
    _print_section(
        "Packages",
        {"sknn": __version__}
        | {name: _installed_version(name) for name in REQUIRED + OPTIONAL},
    )
    print()
    print("Threads")
    for library in threadpoolctl.threadpool_info():
        print(f"    {_describe_library(library)}")


def _print_section(title: str, rows: dict[str, str]) -> None:
    print(title)
    for name, value in rows.items():
        print(f"    {name}: {value}")


def _installed_version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def _describe_library(library: dict) -> str:
    version = library.get("version") or "version unknown"
    return (
        f"{library['user_api']}: {library['internal_api']} {version}, "
        f"{library['num_threads']} threads"
    )


def warn_of_name_clash() -> None:
    """Warn if the abandoned distribution that also installs ``sknn`` is present."""
    try:
        importlib.metadata.distribution("scikit-neuralnetwork")
    except importlib.metadata.PackageNotFoundError:
        return
    warnings.warn(
        "The abandoned package scikit-neuralnetwork is installed and overwrites files "
        "of sknn, because both install an import package of this name. Remedy: "
        "`pip uninstall scikit-neuralnetwork`, then "
        "`pip install --force-reinstall --no-deps sknn`.",
        UserWarning,
        stacklevel=4,  # here, this module, sknn/__init__.py, whoever imports sknn
    )


warn_of_name_clash()  # a module body runs once, so this warns once
