"""The page as bytes: numbers and texts as JSON within HTML that loads nothing.

Texts of users reach the page through JSON and the DOM only, never as HTML.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import math
from importlib import resources
from typing import Any

__all__ = ["as_json", "make_page"]

DIGITS = 6
SCRIPTS = ("dom.js", "charts.js", "page.js", "rows.js")
# What would end or hide a script element; JSON reads the escapes as the same text.
ESCAPES = {ord(c): f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"}


def make_page(title: str, data: dict[str, Any]) -> bytes:
    """Put title, data, style and scripts into the frame."""
    style, script = _read("page.css"), "\n".join(_read(name) for name in SCRIPTS)
    parts = {
        "policy": _policy(style, script),
        "title": html.escape(title),
        "style": style,
        "data": as_json(data),
        "script": script,
    }
    pieces = _read("page.html").split("{{")
    page = pieces[0]
    for piece in pieces[1:]:
        name, _, rest = piece.partition("}}")
        page += parts[name] + rest
    return page.encode("utf-8", errors="backslashreplace")


def as_json(data: Any) -> str:
    """Write JSON that may stand in a script element; NaN and infinity become null."""
    text = json.dumps(
        _plain(data), ensure_ascii=False, allow_nan=False, separators=(",", ":")
    )
    return text.translate(ESCAPES)


def _plain(value: Any) -> Any:
    """Round floats to `DIGITS` digits: a third of the bytes, and nobody reads more."""
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if not isinstance(value, float):
        return value
    if not math.isfinite(value):
        return None
    if value.is_integer() and abs(value) < 2**53:
        return int(value)
    return float(f"{value:.{DIGITS}g}")


def _policy(style: str, script: str) -> str:
    """Return a policy that forbids all loading, and scripts that are not the page's."""
    return (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'"
    )


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"


def _read(name: str) -> str:
    return (resources.files(__package__) / "web" / name).read_text("utf-8")
