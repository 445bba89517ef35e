"""Formulas as MathML, which browsers draw themselves: no script, nothing to fetch."""

import re

from docutils.nodes import SkipNode
from latex2mathml.converter import convert
from sphinx.util.math import get_node_equation_number

# In fonts without mathematical glyphs the prime stands high already.
PRIME = re.compile(r"<msup>(<mi>\w</mi>)<mi>&#x02032;</mi></msup>")
RAISED = r'\1<mo lspace="0" rspace="0">&#x02032;</mo>'


def mathml(formula, display):
    """Return a formula in the notation of browsers."""
    if r"\\" in formula and r"\begin" not in formula:
        formula = rf"\begin{{split}}{formula}\end{{split}}"
    formula = formula.replace("{aligned}", "{split}")  # the name that is known
    return PRIME.sub(RAISED, convert(formula, display=display))


def visit_math(translator, node):
    """Write a formula within a line."""
    translator.body.append(mathml(node.astext(), "inline"))
    raise SkipNode


def visit_math_block(translator, node):
    """Write a formula on lines of its own, with its number where it has one."""
    number = get_node_equation_number(translator, node) if node["number"] else ""
    number = number and f'<span class="eqno">({number})</span>'
    place = f' id="{node["ids"][0]}"' if node["ids"] else ""
    formula = mathml(node.astext(), "block")
    translator.body.append(f'<div class="math"{place}>{number}{formula}</div>\n')
    raise SkipNode


def setup(app):
    """Offer the renderer under the name that `html_math_renderer` takes."""
    app.add_html_math_renderer("mathml", (visit_math, None), (visit_math_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
