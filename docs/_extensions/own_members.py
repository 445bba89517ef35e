"""Reference pages of classes list what sknn's own classes define, nothing inherited."""

import inspect


def skip_foreign(_app, what, name, member, skip, _options):
    """Leave out methods and properties that come from other packages."""
    if what != "class" or skip:
        return None
    function = member.fget if isinstance(member, property) else member
    function = inspect.unwrap(function) if callable(function) else function
    module = getattr(function, "__module__", None) or ""
    return module.partition(".")[0] != "sknn" or None


def setup(app):
    """Ask at each member."""
    app.setup_extension("sphinx.ext.autodoc")
    app.connect("autodoc-skip-member", skip_foreign)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
