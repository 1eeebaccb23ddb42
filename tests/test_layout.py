"""The package's rooms: imports lead downwards only, nothing private is shared, modules are short, tests mirror them."""

import ast
from pathlib import Path

from tiny import ROOT

PACKAGE = ROOT / "src/dawnchorus"
# From bottom to top; rooms of one level import nothing of each other. At the bottom lie modules of no room.
LEVELS = [
    ["errors"],
    ["dotted", "files", "litert", "progress", "seeding", "wording"],
    ["inputs"],
    ["config", "audio"],
    ["data", "features"],
    ["models", "evaluation", "demo", "kaggle"],
    ["inference"],
    ["training"],
    ["reporting", "review", "export"],
    ["workflow"],
    ["cli"],
    ["command"],
]
LEVEL = {room: number for number, level in enumerate(LEVELS) for room in level}
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def room(path: Path) -> str:
    """The sub-package of a module, or the module itself where it has none."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path) -> list[tuple[str, str]]:
    """The package's modules that a file imports, by room, and the names that it takes from them."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("dawnchorus"):
            parts = (node.module or "").split(".")[1:]
            found += [((parts or [alias.name])[0], alias.name) for alias in node.names]
        elif isinstance(node, ast.Import):
            found += [(alias.name.split(".")[1], "") for alias in node.names if alias.name.startswith("dawnchorus.")]
    return found


def test_the_search_finds_an_upward_import(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text("from dawnchorus.training.losses import MaskedCrossEntropy\nimport dawnchorus.cli\n")
    assert imports(module) == [("training", "MaskedCrossEntropy"), ("cli", "")]


def test_every_room_has_a_level_and_says_what_lives_there() -> None:
    assert {room(path) for path in MODULES} == set(LEVEL)
    for path in PACKAGE.rglob("__init__.py"):
        assert ast.get_docstring(ast.parse(path.read_text())), path


def test_imports_lead_downwards() -> None:
    upward = [
        f"{path.relative_to(PACKAGE)} imports {other}"
        for path in MODULES
        for other, _ in imports(path)
        if other != room(path) and LEVEL[other] >= LEVEL[room(path)]
    ]
    assert upward == []


def test_nothing_private_is_imported_from_another_module() -> None:
    programs = [*MODULES, *(ROOT / "workflow").rglob("*.py"), *(ROOT / "benchmarks").glob("*.py")]
    assert [f"{path}: {name}" for path in programs for _, name in imports(path) if name.startswith("_")] == []


def test_a_long_module_says_why() -> None:
    for path in MODULES:
        text = path.read_text()
        reason = "lines" in (ast.get_docstring(ast.parse(text)) or "")
        assert len(text.splitlines()) <= 300 or reason, path


def test_tests_mirror_the_rooms() -> None:
    folders = {path.parent.relative_to(ROOT / "tests").parts[0] for path in (ROOT / "tests").glob("*/**/test_*.py")}
    assert folders <= set(LEVEL)
