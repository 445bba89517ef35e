"""Defects drawn at random: small changes of the syntax tree that a slip could make.

A change is made in the text, at the place of one node, so that the rest stays as it is.
Left alone are docstrings, annotations, `__repr__`, texts of errors and imports.
"""

import ast
import random
import re
from dataclasses import dataclass
from pathlib import Path
from types import CodeType

#: The rooms of floors 1 to 6 that are proved here; folders stand for all their files.
ROOMS = (
    "_array",
    "_files",
    "_params",
    "_tensors",
    "initializers",
    "schedules",
    "activations",
    "losses",
    "optimizers",
    "tape",
    "layers",
    "network",
    "objective",
    "callbacks",
    "training",
)


@dataclass(frozen=True)
class Defect:
    """One change of one file.

    Parameters
    ----------
    file : str
        Path from the root of the repository.
    line : int
        Where it is.
    place : str
        Function or class that it is in.
    kind : str
        What was changed.
    old, new : str
        The code before and after, in one line.
    source : str
        The whole file afterwards.
    """

    file: str
    line: int
    place: str
    kind: str
    old: str
    new: str
    source: str

    @property
    def name(self):
        """Return what tells this defect from all others, without numbers of lines."""
        if self.kind == "by hand":
            return f"{self.file}: {self.place}"
        changed = self.source.splitlines()[self.line - 1].strip()
        return f"{self.file}:{self.place}: {self.old} → {changed}"


OPERATORS = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.Pow: ast.Mult,
    ast.LShift: ast.RShift,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitAnd,
}
COMPARISONS = {
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.GtE),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.LtE),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
_PAIRS = (
    "add subtract, multiply divide, maximum minimum, min max, any all, exp expm1, "
    "log log1p, floor ceil, zeros_like ones_like, zeros ones, sqrt square, sin cos, "
    "absolute negative, abs sign, greater greater_equal, less less_equal, sum mean, "
    "rint floor, append prepend, argmax argmin, sorted list"
)
FUNCTIONS = dict(pair.split() for pair in _PAIRS.split(", "))
FUNCTIONS = {new: old for old, new in FUNCTIONS.items()} | FUNCTIONS


def files_of(root):
    """Return the files of the rooms, as paths from the root of the repository."""
    found = []
    for room in ROOMS:
        path = Path(root) / "sknn" / room
        files = sorted(path.rglob("*.py")) or [path.with_suffix(".py")]
        found += [file.relative_to(root).as_posix() for file in files]
    return found


def draw(root, count, seed):
    """Return so many defects, of each file in proportion to its size, one at least."""
    sites = {file: _Sites(Path(root) / file) for file in files_of(root)}
    sites = {file: found for file, found in sites.items() if found.by_kind}
    defects = []
    for file, n in _shares({f: s.size for f, s in sites.items()}, count).items():
        defects += sites[file].draw(n, file, random.Random(f"{seed} {file}"))
    return defects


def _shares(sizes, count):
    """Share `count` out by the sizes, one at least, by largest remainders."""
    total = sum(sizes.values())
    wanted = {file: size * count / total for file, size in sizes.items()}
    given = {file: max(1, int(share)) for file, share in wanted.items()}
    while sum(given.values()) < count:
        given[max(given, key=lambda file: wanted[file] - given[file])] += 1
    while sum(given.values()) > count:
        several = [file for file in given if given[file] > 1]
        given[min(several, key=lambda file: wanted[file] - given[file])] -= 1
    return given


class _Sites(ast.NodeVisitor):
    """All changes that a file offers, by kind: (node, new code, place)."""

    def __init__(self, path):
        self.text = path.read_text()
        self.by_kind, self._place, self.size = {}, [], 0
        self.visit(ast.parse(self.text))

    def draw(self, n, file, rng):
        """Return `n` different defects; first the kind is drawn, then the site."""
        left = {kind: list(sites) for kind, sites in sorted(self.by_kind.items())}
        drawn, before = [], _code(self.text)
        while len(drawn) < n:
            kind = rng.choice([kind for kind, sites in left.items() if sites])
            node, new, place = left[kind].pop(rng.randrange(len(left[kind])))
            source = replaced(self.text, node, new)
            if _code(source) != before:
                old = ast.get_source_segment(self.text, node)
                defect = (node.lineno, place, kind, _line(old), _line(new), source)
                drawn.append(Defect(file, *defect))
        return drawn

    def offer(self, kind, node, new):
        """Note a change of `node` to a node or to code."""
        if isinstance(new, ast.AST):
            new = ast.unparse(ast.fix_missing_locations(new))
        if isinstance(node, ast.expr):
            new = f"({new})"
        place = ".".join(self._place)
        self.by_kind.setdefault(kind, []).append((node, new, place))
        self.size += 1

    # What is passed over ---------------------------------------------------------

    def visit_FunctionDef(self, node):
        if node.name == "__repr__":
            return
        self._place.append(node.name)
        for part in [*node.decorator_list, *node.args.defaults, *node.args.kw_defaults]:
            if part is not None:
                self.visit(part)
        self._visit_body(node.body)
        self._place.pop()

    def visit_ClassDef(self, node):
        self._place.append(node.name)
        for decorator in node.decorator_list:
            self.visit(decorator)
        self._visit_body(node.body)
        self._place.pop()

    def _visit_body(self, body):
        for statement in body:
            if not _is_text(statement):
                self.visit(statement)

    def visit_AnnAssign(self, node):
        if node.value is not None:
            self.visit(node.value)

    def visit_Assign(self, node):
        is_alias = not self._place and isinstance(node.value, ast.Subscript)
        names = [n.id for n in node.targets if isinstance(n, ast.Name)]
        if is_alias or "__all__" in names:
            return
        if not names and not isinstance(node.targets[0], ast.Tuple):
            self.offer("statement", node, "pass")
        self.generic_visit(node)

    def visit_JoinedStr(self, node):
        pass

    def visit_Raise(self, node):
        self.offer("statement", node, "pass")

    def visit_Assert(self, node):
        pass

    # What is offered -------------------------------------------------------------

    def visit_Expr(self, node):
        if not _is_text(node):
            self.offer("statement", node, "pass")
            self.generic_visit(node)

    def visit_Continue(self, node):
        self.offer("statement", node, "pass")

    visit_Break = visit_Delete = visit_Continue

    def visit_AugAssign(self, node):
        self.offer("statement", node, "pass")
        new = OPERATORS.get(type(node.op))
        if new:
            self.offer("operator", node, ast.AugAssign(node.target, new(), node.value))
        self.generic_visit(node)

    def visit_BinOp(self, node):
        new = OPERATORS.get(type(node.op))
        if new and not _is_string(node.left):
            self.offer("operator", node, ast.BinOp(node.left, new(), node.right))
        self.generic_visit(node)

    def visit_UnaryOp(self, node):
        if isinstance(node.op, ast.USub):
            self.offer("operator", node, node.operand)
        elif isinstance(node.op, ast.Not | ast.Invert):
            self.offer("condition", node, node.operand)
        self.generic_visit(node)

    def visit_Compare(self, node):
        if len(node.ops) == 1:
            for new in COMPARISONS[type(node.ops[0])]:
                changed = ast.Compare(node.left, [new()], node.comparators)
                self.offer("comparison", node, changed)
        self.generic_visit(node)

    def visit_BoolOp(self, node):
        new = ast.Or if isinstance(node.op, ast.And) else ast.And
        self.offer("boolean", node, ast.BoolOp(new(), node.values))
        for i in range(len(node.values)):
            rest = node.values[:i] + node.values[i + 1 :]
            only = rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest)
            self.offer("boolean", node, only)
        self.generic_visit(node)

    def visit_If(self, node):
        if "TYPE_CHECKING" in ast.unparse(node.test):
            return
        self.offer("condition", node.test, ast.UnaryOp(ast.Not(), node.test))
        self.generic_visit(node)

    visit_While = visit_IfExp = visit_If

    def visit_comprehension(self, node):
        for test in node.ifs:
            self.offer("condition", test, ast.UnaryOp(ast.Not(), test))
        self.generic_visit(node)

    def visit_Constant(self, node):
        if isinstance(node.value, bool):
            self.offer("constant", node, str(not node.value))
        elif isinstance(node.value, int):
            self.offer("constant", node, str(node.value + 1))
            self.offer("constant", node, str(node.value - 1))
        elif isinstance(node.value, float):
            others = (node.value * 1.01, node.value * 2) if node.value else (0.01, 1.0)
            for new in others:
                self.offer("constant", node, repr(new))

    def visit_Slice(self, node):
        pass  # offered by the subscript: a slice alone is no code

    def visit_Subscript(self, node):
        parts = _parts(node.slice) if isinstance(node.ctx, ast.Load) else []
        for i, part in enumerate(parts):
            for moved in _moved(part) if isinstance(part, ast.Slice) else ():
                changed = [*parts[:i], moved, *parts[i + 1 :]]
                index = ast.Tuple(changed, ast.Load()) if len(changed) > 1 else moved
                self.offer("slice", node, ast.Subscript(node.value, index, ast.Load()))
        self.generic_visit(node)

    def visit_Attribute(self, node):
        if node.attr in FUNCTIONS and isinstance(node.ctx, ast.Load):
            new = ast.Attribute(node.value, FUNCTIONS[node.attr], ast.Load())
            self.offer("function", node, new)
        self.generic_visit(node)

    def visit_Name(self, node):
        if node.id in FUNCTIONS and isinstance(node.ctx, ast.Load):
            self.offer("function", node, FUNCTIONS[node.id])

    def visit_Call(self, node):
        if _is_of_text(node.func):
            return
        for i in range(len(node.args) - 1):
            pair = node.args[i : i + 2]
            if not any(isinstance(arg, ast.Starred) for arg in pair):
                args = [*node.args[:i], *reversed(pair), *node.args[i + 2 :]]
                self.offer("arguments", node, ast.Call(node.func, args, node.keywords))
        for keyword in node.keywords:
            if keyword.arg not in (None, "repr"):
                rest = [k for k in node.keywords if k is not keyword]
                self.offer("keyword", node, ast.Call(node.func, node.args, rest))
        self.generic_visit(node)

    def visit_keyword(self, node):
        if node.arg != "repr":
            self.generic_visit(node)


def _is_text(node):
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _is_string(node):
    is_constant = isinstance(node, ast.Constant) and isinstance(node.value, str | bytes)
    return is_constant or isinstance(node, ast.JoinedStr)


def _is_of_text(function):
    """Tell whether a call only makes messages, or only matters for types."""
    return ast.unparse(function) in ("warnings.warn", "TypeVar", "print")


def _parts(index):
    return index.elts if isinstance(index, ast.Tuple) else [index]


def _moved(part):
    """Yield a slice with its start, and with its end, moved by one."""
    one, lower, upper = ast.Constant(1), part.lower, part.upper
    later = one if lower is None else ast.BinOp(lower, ast.Add(), one)
    earlier = ast.Constant(-1) if upper is None else ast.BinOp(upper, ast.Sub(), one)
    yield ast.Slice(later, upper, part.step)
    yield ast.Slice(lower, earlier, part.step)


def replaced(text, node, new):
    """Return a file with the code of one node replaced."""
    lines = text.encode().splitlines(keepends=True)
    start = sum(map(len, lines[: node.lineno - 1])) + node.col_offset
    stop = sum(map(len, lines[: node.end_lineno - 1])) + node.end_col_offset
    whole = text.encode()
    return (whole[:start] + new.encode() + whole[stop:]).decode()


def _line(code):
    return re.sub(r"\s+", " ", code).strip()


def _code(source):
    """Return what a file compiles to, without where it stood."""
    return _bare(compile(source, "", "exec", dont_inherit=True, optimize=0))


def _bare(code):
    constants = [
        _bare(c) if isinstance(c, CodeType) else repr(c) for c in code.co_consts
    ]
    return code.co_code, constants, code.co_names, code.co_varnames
