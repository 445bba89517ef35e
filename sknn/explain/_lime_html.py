"""HTML of local explanations for notebooks: bars, tables, coloured words, heatmaps.

Draws what an explanation holds and computes nothing; the pages need no script.
"""

from __future__ import annotations

import base64
import struct
import warnings
import zlib
from html import escape
from typing import Any

import numpy as np

__all__ = ["html_of"]

MAX_BARS = 15
MAX_LINES = 10
POSITIVE, NEGATIVE = (0, 121, 107), (194, 84, 26)  # as text they read on white
CELL = "padding:2px 8px;text-align:left;border:0;background:none;"
FONT = (
    "font:13px/1.5 system-ui,sans-serif;color:#1c1c1c;background:#fff;padding:8px;"
    "display:inline-block;max-width:100%"
)


def html_of(explanation: Any) -> str:
    """Draw an explanation: one row in full, several as a table of the first."""
    if np.ndim(explanation.data) != 1:
        return _page(_table(explanation))
    if explanation.lime_ is not None:
        return _frame(explanation.lime_)
    if np.ndim(explanation.values) != 1:
        return _page(_table(explanation))
    parts = [_fit_line(explanation), _source(explanation), _bars(explanation)]
    return _page("".join(parts))


def _page(body: str) -> str:
    return f'<div style="{FONT}">{body}</div>'


def _frame(found: Any) -> str:
    """Show the lime package's own page, which runs scripts, apart from the notebook."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # lime leaves a file open
        page = found.as_html()
    return (
        f'<iframe sandbox="allow-scripts" srcdoc="{escape(page)}" '
        'style="width:100%;height:420px;border:0"></iframe>'
    )


def _fit_line(explanation: Any) -> str:
    name = explanation.output_names
    about = f"<b>{escape(str(name))}</b>: " if isinstance(name, str) else ""
    return (
        f"<div>{about}local model {_number(explanation.local_pred_)} = base "
        f"{_number(explanation.intercept_)} + contributions; "
        f"R² {_number(explanation.score_, 2)}</div>"
    )


def _source(explanation: Any) -> str:
    """Show the text or the image that was explained, if it was one."""
    if hasattr(explanation, "text_"):
        return _words(explanation)
    if hasattr(explanation, "image_"):
        return _pictures(explanation)
    return ""


def _bars(explanation: Any) -> str:
    values = np.asarray(explanation.values)
    order = np.argsort(-np.abs(values), kind="stable")[:MAX_BARS]
    largest = max(float(np.abs(values).max(initial=0)), 1e-300)
    lines = [
        f"<tr><td style='{CELL}'>{_label(explanation, j)}</td>"
        f"<td style='{CELL}text-align:right;font-variant-numeric:tabular-nums'>"
        f"{_number(values[j], sign=True)}</td>"
        f"<td style='{CELL}width:240px'>{_bar(values[j] / largest)}</td></tr>"
        for j in order
    ]
    return _lines(lines) + _rest(len(values) - len(order), "smaller ones")


def _label(explanation: Any, j: int) -> str:
    name = escape(str(explanation.feature_names[j]))
    if hasattr(explanation, "text_") or hasattr(explanation, "image_"):
        return name
    return f"{name} = {_value(_shown(explanation)[j])}"


def _shown(explanation: Any) -> Any:
    display = explanation.display_data
    return explanation.data if display is None else display


def _bar(share: float) -> str:
    """Draw a bar to the right of the middle or to its left."""
    width = 50 * abs(share)
    left = 50 if share > 0 else 50 - width
    return (
        f"<div style='margin-left:{left:.1f}%;width:{width:.1f}%;height:12px;"
        f"background:rgb{POSITIVE if share > 0 else NEGATIVE}'></div>"
    )


def _table(explanation: Any) -> str:
    """Write a line for each of the first rows and outputs."""
    values = np.asarray(explanation.values)
    is_single = np.ndim(explanation.data) == 1
    scores, predictions = explanation.score_, explanation.local_pred_
    lines = []
    for place in list(np.ndindex(np.shape(scores)))[:MAX_LINES]:
        row, output = (None, *place) if is_single else (*place, None)[:2]
        at = (slice(None), output) if is_single else (row, slice(None), *place[1:])
        cells = [
            *([] if is_single else [str(row)]),
            *([] if output is None else [escape(_output_name(explanation, output))]),
            _number(predictions[place]),
            _number(scores[place], 2),
            _strongest(values[at], explanation.feature_names),
        ]
        tag = "".join(f"<td style='{CELL}'>{cell}</td>" for cell in cells)
        lines.append(f"<tr>{tag}</tr>")
    names = [*([] if is_single else ["row"])]
    names += ["output"] if np.ndim(scores) == (1 if is_single else 2) else []
    names += ["local model", "R²", "strongest contributions"]
    head = "".join(f"<th style='{CELL}'>{name}</th>" for name in names)
    left = int(np.size(scores)) - len(lines)
    return _lines([f"<tr>{head}</tr>", *lines]) + _rest(left, "lines")


def _lines(lines: list[str]) -> str:
    return (
        f"<table style='border-collapse:collapse;font:inherit'>{''.join(lines)}</table>"
    )


def _output_name(explanation: Any, output: int) -> str:
    names = explanation.output_names
    return str(output) if names is None else str(names[output])


def _strongest(values: np.ndarray, names: Any) -> str:
    order = np.argsort(-np.abs(values), kind="stable")[:3]
    return ", ".join(
        f"<span style='color:rgb{POSITIVE if values[j] > 0 else NEGATIVE}'>"
        f"{escape(str(names[j]))} {_number(values[j], sign=True)}</span>"
        for j in order
    )


def _rest(count: int, what: str) -> str:
    return f"<div style='color:#666'>and {count} {what}</div>" if count > 0 else ""


def _words(explanation: Any) -> str:
    """Write the text with its words coloured by their contributions."""
    values = np.asarray(explanation.values)
    largest = max(float(np.abs(values).max(initial=0)), 1e-300)
    spans = sorted(
        (span, value / largest)
        for value, places in zip(values, explanation.positions_, strict=True)
        for span in places
    )
    pieces, end = [], 0
    for (start, stop), share in spans:
        rgb = POSITIVE if share > 0 else NEGATIVE
        colour = f"rgba{(*rgb, round(0.45 * abs(float(share)), 3))}"
        word = escape(explanation.text_[start:stop])
        pieces += [
            escape(explanation.text_[end:start]),
            f"<span style='background:{colour};border-radius:2px'>{word}</span>",
        ]
        end = stop
    pieces.append(escape(explanation.text_[end:]))
    style = "margin:6px 0;max-width:720px;white-space:pre-wrap"
    return f"<div style='{style}'>{''.join(pieces)}</div>"


def _pictures(explanation: Any) -> str:
    """Show the image and the map of its contributions side by side."""
    heat = explanation.heatmap
    share = heat / max(float(np.abs(heat).max(initial=0)), 1e-300)
    colour = np.where(share[..., None] > 0, POSITIVE, NEGATIVE)
    mixed = 255 - np.abs(share)[..., None] * (255 - colour)
    images = [_picture(_as_bytes(explanation.image_)), _picture(mixed)]
    return f"<div style='margin:6px 0'>{''.join(images)}</div>"


def _as_bytes(image: np.ndarray) -> np.ndarray:
    """Stretch an image of one, three or more channels to (h, w, 3) in 0..255."""
    image = np.asarray(image, dtype=np.float64)
    if image.ndim == 2 or image.shape[2] < 3:
        image = np.repeat(image.reshape(*image.shape[:2], -1)[..., :1], 3, axis=2)
    low, high = image.min(), image.max()
    return 255 * (image[..., :3] - low) / max(high - low, 1e-300)


def _picture(pixels: np.ndarray) -> str:
    data = base64.b64encode(_png(pixels.round().astype(np.uint8))).decode()
    return (
        f'<img alt="" src="data:image/png;base64,{data}" style="height:160px;'
        'margin-right:12px;image-rendering:pixelated;border:1px solid #ccc">'
    )


def _png(pixels: np.ndarray) -> bytes:
    """Write (h, w, 3) bytes as a PNG file."""
    height, width, _ = pixels.shape
    scanlines = b"".join(b"\0" + row.tobytes() for row in pixels)
    header = struct.pack(">2I5B", width, height, 8, 2, 0, 0, 0)
    parts = [(b"IHDR", header), (b"IDAT", zlib.compress(scanlines)), (b"IEND", b"")]
    chunks = [
        struct.pack(">I", len(body))
        + kind
        + body
        + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in parts
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def _value(value: Any) -> str:
    if isinstance(value, float | np.floating):
        return f"{value:.4g}"
    return escape(str(value))


def _number(value: Any, digits: int = 3, *, sign: bool = False) -> str:
    return f"{float(value):{'+' if sign else ''}.{digits}f}".replace("-", "−")
