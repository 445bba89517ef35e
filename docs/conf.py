"""The documentation site: `python -m sphinx -W -b html docs docs/_build/html`."""

import os
import socket
import sys
from pathlib import Path

# Before NumPy loads: what the examples time runs on one thread.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import sknn

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_extensions"))

project = "sknn"
author = "The sknn developers"
copyright = "the sknn developers, BSD 3-Clause"
version = release = sknn.__version__

extensions = [
    "mathml",
    "changelog",
    "own_members",
    "matplotlib.sphinxext.plot_directive",
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.intersphinx",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build", "changes/*.[a-z]*.md", "figures", "**/GALLERY_HEADER.rst"]
templates_path = ["_templates"]
nitpicky = True

# -- Markdown
myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 3
html_math_renderer = "mathml"

# -- Reference
autosummary_generate = True
autodoc_typehints = "none"
toc_object_entries_show_parents = "hide"
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False


def online(host):
    """Tell whether a site answers: without network its names stay plain text."""
    try:
        socket.create_connection((host, 443), timeout=3).close()
    except OSError:
        return False
    return True


ELSEWHERE = {
    "numpy": "https://numpy.org/doc/stable/",
    "python": "https://docs.python.org/3/",
    "scipy": "https://docs.scipy.org/doc/scipy/",
    "sklearn": "https://scikit-learn.org/stable/",
    "matplotlib": "https://matplotlib.org/stable/",
    "pandas": "https://pandas.pydata.org/docs/",
    "shap": "https://shap.readthedocs.io/en/latest/",
}
intersphinx_mapping = {
    name: (address, None)
    for name, address in ELSEWHERE.items()
    if online(address.split("/")[2])
}
nitpick_ignore_regex = [
    ("py:.*", rf"{name}(\..*)?")
    for name in [*ELSEWHERE, "collections", "typing", "lime"]
    if name not in intersphinx_mapping
]

# -- Gallery
SECTIONS = ["fundamentals", "training", "tables", "explaining", "applications"]

sphinx_gallery_conf = {
    "examples_dirs": ["../examples"],
    "gallery_dirs": ["auto_examples"],
    "filename_pattern": r"\.py",
    # Scripts for the command line.
    "ignore_pattern": r"^(quickstart|optuna_pruning)\.py$",
    "subsection_order": [f"../examples/{section}" for section in SECTIONS],
    "within_subsection_order": "FileNameSortKey",
    "backreferences_dir": "generated/backreferences",
    "doc_module": ("sknn",),
    "reference_url": {"sknn": None},
    "reset_modules": ("matplotlib", "strict_examples.stop_at_warnings"),
    "abort_on_example_error": True,
    "show_signature": False,
    "write_computation_times": False,
    "download_all_examples": False,
    "parallel": 2,
}

# -- Pages
html_theme = "pydata_sphinx_theme"
html_title = "sknn"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_favicon = "_static/logo.svg"
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "logo": {
        "image_light": "_static/logo.svg",
        "image_dark": "_static/logo.svg",
        "text": f"sknn {version}",
    },
    "header_links_before_dropdown": 5,
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "show_prev_next": True,
    "footer_start": ["copyright"],
    "footer_center": [],
    "footer_end": ["theme-version"],
}
html_context = {"default_mode": "auto"}
html_sidebars = {
    page: [] for page in ("index", "install", "start", "benchmarks", "faq")
}
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

plot_html_show_source_link = False
plot_html_show_formats = False
plot_formats = [("png", 150)]

linkcheck_anchors = False
