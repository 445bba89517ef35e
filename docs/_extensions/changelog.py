"""The page of changes: the released ones, before them the fragments by kind."""

import re
from pathlib import Path

KINDS = {
    "feature": "New",
    "change": "Changed",
    "fix": "Mended",
    "removal": "Taken out",
}


def write_changelog(app):
    """Put fragments and releases together, where their relative links hold."""
    folder = Path(app.srcdir) / "changes"
    parts = ["# Changes", "## Not released yet"]
    for kind, title in KINDS.items():
        fragments = sorted(folder.glob(f"*.{kind}.md"))
        parts += [f"### {title}"] if fragments else []
        parts += ["- " + indented(fragment.read_text()) for fragment in fragments]
    releases = sorted(folder.glob("[0-9]*.md"), reverse=True)
    parts += [one_level_lower(release.read_text()) for release in releases]
    page = Path(app.srcdir) / "generated" / "changes.md"
    page.parent.mkdir(exist_ok=True)
    page.write_text("\n\n".join(parts) + "\n")


def indented(text):
    """Return a text as it stands within an item of a list."""
    return text.strip().replace("\n", "\n  ")


def one_level_lower(text):
    """Return a page as a part of another."""
    return re.sub("^#", "##", text, flags=re.MULTILINE)


def setup(app):
    """Write the page before the sources are read."""
    app.connect("builder-inited", write_changelog)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
