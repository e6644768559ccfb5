"""The rules of docs/why/house.md, held by reading the source."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = sorted((ROOT / "src" / "acreage").rglob("*.py"))
PYTHON = [*SOURCE, *sorted((ROOT / "tests").rglob("*.py")), *sorted((ROOT / "benchmarks").rglob("*.py"))]
DOCS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
DOCS += sorted((ROOT / "examples").rglob("*.md"))
EMPTY_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "stuff", "tools"}
FUNCTION_LINES_MAX, FILE_LINES_MAX = 70, 500
LATE_IMPORTS = {"gpuhunt_live.py": {"gpuhunt"}}
"""Optional dependencies, imported where they are used."""


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


@pytest.mark.parametrize("path", SOURCE, ids=name_of)
def test_a_source_file_is_short_documented_and_imports_at_its_top(path: Path) -> None:
    """Files and functions stay within their lengths; modules and public names have docstrings."""
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    assert text.count("\n") <= FILE_LINES_MAX, "the file is too long"
    if tree.body:
        assert ast.get_docstring(tree), "the module has no docstring"
    for function in functions(tree):
        length = (function.end_lineno or 0) - function.lineno + 1
        assert length <= FUNCTION_LINES_MAX, f"{function.name} has {length} lines"
        for node in ast.walk(function):
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = {alias.name for alias in node.names} | {getattr(node, "module", "")}
                assert names & LATE_IMPORTS.get(path.name, set()), f"{function.name} imports {names}"
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            assert ast.get_docstring(node), f"{node.name} has no docstring"
    assert path.stem not in EMPTY_NAMES, "the name says nothing"


def test_nothing_names_a_machine_or_is_left_undone() -> None:
    """No path of a machine, no reminders, in code, examples and documents."""
    banned = re.compile(r"/wor[k]/|/tm[p]/[a-z]|/hom[e]/[a-z]|\bTO[D]O\b|\bFIXM[E]\b|XX[X]")
    for path in [*PYTHON, *DOCS, *sorted((ROOT / "examples").rglob("*.yaml"))]:
        found = banned.search(path.read_text(encoding="utf-8"))
        assert found is None, f"{name_of(path)}: {found and found.group()}"


def test_texts_for_people_have_no_long_dashes() -> None:
    """Documents and strings users see are typed on a keyboard."""
    for path in [*DOCS, *SOURCE]:
        assert "\u2014" not in path.read_text(encoding="utf-8"), name_of(path)


def test_every_dependency_has_its_reason() -> None:
    """docs/dependencies.md names every dependency of pyproject.toml."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    reasons = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8").lower()
    lists = [project["dependencies"], *project["optional-dependencies"].values()]
    for requirement in (r for each in lists for r in each if not r.startswith("acreage")):
        name = re.split(r"[<>=\[ ]", requirement)[0].lower()
        assert name in reasons, f"{name} is not in docs/dependencies.md"


def test_links_between_documents_lead_somewhere() -> None:
    """Every relative link of the documents is a file."""
    for path in DOCS:
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8")):
            if not target.startswith(("http:", "https:", "mailto:")):
                assert (path.parent / target).exists(), f"{name_of(path)} links to {target}"


def test_every_page_is_in_the_navigation() -> None:
    """mkdocs.yml lists every page."""
    listed = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    for path in sorted((ROOT / "docs").rglob("*.md")):
        assert str(path.relative_to(ROOT / "docs")) in listed, name_of(path)
