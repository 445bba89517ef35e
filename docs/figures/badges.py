"""Write the README's badges: what pyproject.toml states, each as a small picture."""

import tomllib
from pathlib import Path

HERE = Path(__file__).parent
FOLDER = HERE / "badges"
COLOUR = "#0072b2"
SVG = """\
<svg xmlns="http://www.w3.org/2000/svg" width="{total}" height="20" role="img" \
aria-label="{name}: {value}">
  <title>{name}: {value}</title>
  <clipPath id="r"><rect width="{total}" height="20" rx="3"/></clipPath>
  <g clip-path="url(#r)">
    <rect width="{left}" height="20" fill="#444"/>
    <rect x="{left}" width="{right}" height="20" fill="{colour}"/>
  </g>
  <g fill="#fff" text-anchor="middle" font-family="Verdana,DejaVu Sans,sans-serif" \
font-size="11">
    <text x="{at_name}" y="14">{name}</text>
    <text x="{at_value}" y="14">{value}</text>
  </g>
</svg>
"""


def facts():
    """Return what the badges say, by name."""
    with (HERE.parents[1] / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]
    language = "Programming Language :: Python :: "
    versions = [
        name.removeprefix(language)
        for name in project["classifiers"]
        if name.startswith(language + "3.")
    ]
    bounds = dict(bound.split(">=") for bound in project["dependencies"])
    return {
        "Python": " | ".join(versions),
        "scikit-learn": "≥ " + bounds["scikit-learn"].removesuffix(".0"),
        "license": project["license"],
    }


def badge(name, value):
    """Return a badge as SVG."""
    left, right = (10 + round(6.7 * len(text)) for text in (name, value))
    return SVG.format(
        name=name,
        value=value,
        colour=COLOUR,
        left=left,
        right=right,
        total=left + right,
        at_name=left / 2,
        at_value=left + right / 2,
    )


def files():
    """Return the text of each badge by its path."""
    return {
        FOLDER / f"{name.lower()}.svg": badge(name, value)
        for name, value in facts().items()
    }


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for path, text in files().items():
        path.write_text(text, encoding="utf-8")
