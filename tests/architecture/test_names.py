"""House style that a machine can check: names, sizes, and where clocks are read."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "marketplace").rglob("*.py"))
TEST_FILES = sorted((ROOT / "tests").rglob("test_*.py"))
FUNCTION_LINES_MAX = 70
FILE_LINES_MAX = 400


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_files_stay_within_four_hundred_lines():
    long = [
        f"{path.relative_to(ROOT)}: {lines}"
        for path in SOURCES
        if (lines := path.read_text(encoding="utf-8").count("\n")) > FILE_LINES_MAX
    ]

    assert long == []


def test_functions_stay_within_seventy_lines():
    long = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path in SOURCES
        for node in functions(path)
        if (node.end_lineno or 0) - node.lineno >= FUNCTION_LINES_MAX
    ]

    assert long == []


def test_no_class_is_a_manager_a_helper_or_a_util():
    vague = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in SOURCES
        for name in re.findall(r"^class (\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
        if re.search(r"(Manager|Helper|Utils?)$", name)
    ]

    assert vague == []


def test_only_the_kernel_reads_a_clock():
    strays = [
        str(path.relative_to(ROOT))
        for path in SOURCES
        if path.name != "time.py"
        and re.search(r"\b(datetime\.now|date\.today|utcnow)\(", path.read_text(encoding="utf-8"))
    ]

    assert strays == []


def test_every_test_title_is_a_sentence():
    short = [
        f"{path.relative_to(ROOT)}: {node.name}"
        for path in TEST_FILES
        for node in functions(path)
        if node.name.startswith("test_") and node.name.count("_") < 3
    ]

    assert short == []


def test_nothing_is_left_to_do_in_the_code():
    unfinished = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in SOURCES
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if re.search(r"\b(TODO|FIXME|XXX|NotImplementedError)\b", line)
    ]

    assert unfinished == []
