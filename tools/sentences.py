"""Finds the sentences that the domains say to people, and which of them lack Chinese.

    python -m tools.sentences

The domains speak English, as the API does; pages tell it in Chinese out of the catalogue in
`marketplace/web/words/sentences/`. What is found is what stands in the code: the detail of a
refusal, the message of a reason, and the texts of answers such as checks and explanations, also
where they come from a constant, a condition, or a small function of the same module.
"""

from __future__ import annotations

import ast
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from marketplace.web.words.domain_speech import CATALOGUE

ROOT = Path(__file__).resolve().parent.parent
# What speaks to people in other ways: pages in two languages, the API's own description.
SILENT = frozenset({"web", "schemas", "controllers", "cli", "ical"})
# Fields of answers that people read.
SPOKEN = frozenset({"message", "detail", "summary", "why", "because", "text", "instead"})
DEPTH_MAX = 6


@dataclass(slots=True)
class Module:
    """One module and what its names stand for."""

    path: Path
    tree: ast.Module
    constants: dict[str, ast.expr] = field(default_factory=dict)
    functions: dict[str, ast.AST] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for node in self.tree.body:
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                self.constants[node.targets[0].id] = node.value
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value:
                self.constants[node.target.id] = node.value
            if isinstance(node, ast.FunctionDef):
                self.functions[node.name] = node


def modules() -> list[Module]:
    """Every module of the domains."""
    found = sorted((ROOT / "marketplace").rglob("*.py"))
    return [
        Module(path, ast.parse(path.read_text("utf-8")))
        for path in found
        if not SILENT & set(path.relative_to(ROOT).with_suffix("").parts)
    ]


def speakers(all_modules: list[Module]) -> dict[str, list[tuple[int, str]]]:
    """Classes by name, with the places and names of their fields that people read."""
    found: dict[str, list[tuple[int, str]]] = {}
    refusals = {"DomainError"}
    classes = [
        node
        for module in all_modules
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ClassDef)
    ]
    for _ in range(DEPTH_MAX):
        for node in classes:
            if refusals & {base.id for base in node.bases if isinstance(base, ast.Name)}:
                refusals.add(node.name)
    for node in classes:
        if node.name in refusals:
            found[node.name] = [(0, "detail")]
            continue
        fields = [
            each.target.id
            for each in node.body
            if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name)
        ]
        spoken = [(place, name) for place, name in enumerate(fields) if name in SPOKEN]
        if spoken:
            found[node.name] = spoken
    return found


def templates(node: ast.AST | None, module: Module, depth: int = 0) -> Iterator[str]:
    """The texts that an expression may stand for, with `{0}`, `{1}` … for what is filled in."""
    if node is None or depth > DEPTH_MAX:
        return
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    if isinstance(node, ast.JoinedStr):
        yield _template(node.values)
    for part in _behind(node, module):
        yield from templates(part, module, depth + 1)


def _behind(node: ast.AST, module: Module) -> list[ast.expr | None]:
    """The expressions that decide what `node` says."""
    match node:
        case ast.JoinedStr(values=parts):
            return [part.value for part in parts if isinstance(part, ast.FormattedValue)]
        case ast.IfExp(body=one, orelse=other):
            return [one, other]
        case ast.BoolOp(values=many) | ast.Dict(values=many) | ast.Tuple(elts=many):
            return list(many)
        case ast.Name(id=name):
            return [module.constants.get(name)]
        case (
            ast.Subscript(value=of) | ast.Call(func=ast.Attribute(value=of, attr="get" | "format"))
        ):
            return [of]
        case ast.Call(func=ast.Name(id=name)) if name in module.functions:
            within = ast.walk(module.functions[name])
            return [inner.value for inner in within if isinstance(inner, ast.Return)]
    return []


def _template(parts: list[ast.expr]) -> str:
    """An f-string as the catalogue has it."""
    said, place = "", 0
    for part in parts:
        if isinstance(part, ast.Constant):
            said += str(part.value)
        else:
            said, place = said + f"{{{place}}}", place + 1
    return said


def spoken(call: ast.Call, known: dict[str, list[tuple[int, str]]]) -> Iterator[ast.expr]:
    """The arguments of a call that people will read."""
    name = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
    fields = known.get(name, [])
    if (
        name == "add"
        and len(call.args) > 1
        and isinstance(call.args[0], ast.Constant | ast.JoinedStr)
    ):
        fields = [(1, "message")]
    for place, field_name in fields:
        if place < len(call.args):
            yield call.args[place]
        yield from (given.value for given in call.keywords if given.arg == field_name)


def notes() -> dict[str, str]:
    """Why the rulebooks have the numbers they have."""
    found: dict[str, str] = {}
    for path in sorted((ROOT / "marketplace" / "rulebook").glob("*.toml")):
        for section in tomllib.loads(path.read_text("utf-8")).values():
            for terms in section.values():
                said = [term["note"] for term in terms if "note" in term]
                found |= dict.fromkeys(said, str(path.relative_to(ROOT)))
    return found


@cache
def sentences() -> dict[str, str]:
    """Every sentence that the code says to people, and the module that says it first."""
    every = modules()
    known = speakers(every)
    found = notes()
    for module in every:
        for node in ast.walk(module.tree):
            if not isinstance(node, ast.Call):
                continue
            for argument in spoken(node, known):
                for text in templates(argument, module):
                    if " " in text.strip() and any(letter.isalpha() for letter in text):
                        found.setdefault(text, str(module.path.relative_to(ROOT)))
    return found


def main() -> int:
    """Print what lacks Chinese, as lines for the catalogue."""
    lacking = {text: place for text, place in sentences().items() if text not in CATALOGUE}
    for text, place in lacking.items():
        print(f"# {place}\n{text!r}")
    print(f"{len(lacking)} sentences lack Chinese", file=sys.stderr)
    return 1 if lacking else 0


if __name__ == "__main__":
    sys.exit(main())
