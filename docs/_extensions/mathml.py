"""Formulas as MathML, which browsers draw themselves: no script, nothing to fetch."""

from latex2mathml.converter import convert
from sphinx.util.math import get_node_equation_number


def visit_math(translator, node):
    """Write a formula in a line of text."""
    translator.body.append(convert(node.astext()))
    raise_skip()


def visit_math_block(translator, node):
    """Write a formula on lines of its own, with its number where it has one."""
    number = ""
    if node["number"]:
        number = f'<span class="eqno">({get_node_equation_number(translator, node)})'
        number += "</span>"
    identifier = f' id="{node["ids"][0]}"' if node["ids"] else ""
    formula = convert(aligned(node.astext()), display="block")
    translator.body.append(f'<div class="math"{identifier}>{number}{formula}</div>\n')
    raise_skip()


def aligned(formula):
    """Return the formula, its lines aligned at `&` where it has several."""
    if r"\\" in formula and r"\begin" not in formula:
        return rf"\begin{{aligned}}{formula}\end{{aligned}}"
    return formula


def raise_skip():
    """Leave out what the node holds: it is written already."""
    from docutils.nodes import SkipNode

    raise SkipNode


def setup(app):
    """Offer the renderer under the name that `html_math_renderer` takes."""
    app.add_html_math_renderer("mathml", (visit_math, None), (visit_math_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
