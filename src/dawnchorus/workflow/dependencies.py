"""`make deps`: write each stage's dependencies on code into the `dvc.yaml` files.

A stage depends on its script and on every module of the package that the script imports, directly or indirectly, except
those that cannot change a result. Of the backbones, a stage depends only on its own.
"""

import ast
import re
from pathlib import Path

DVC_FILES = ("dvc.yaml", "data/demo/dvc.yaml")
# Modules that cannot change a result: error messages, progress, checks of parameters and inputs, provenance, logs,
# atomic writes, and the number of cores.
WITHOUT_EFFECT = (
    "cli.py", "dotted.py", "errors.py", "files.py", "inputs.py", "progress.py", "config/", "models/declarations.py",
    "reporting/loggers.py", "reporting/provenance.py", "workflow/cores.py", "workflow/file_locks.py",
    "workflow/prune.py", "workflow/stage_inputs.py",
)  # fmt: skip
PACKAGE, SCRIPTS = "src/dawnchorus", "workflow/scripts"
BACKBONES = f"{PACKAGE}/models/backbones"
# The module that imports backbones by name.
BACKBONE_LOADER = f"{PACKAGE}/models/backbone.py"
# check_params checks parameters and backbones' declarations and prunes, so it depends on modules of WITHOUT_EFFECT. The
# report is made of templates, and lists settings.
SUBJECT = {
    "check_params": ["config/", "models/backbones", "models/declarations.py", "workflow/prune.py"],
    "report": ["dotted.py", "reporting/report/templates"],
}


def imported_modules(root: Path, path: str) -> set[str]:
    """The modules of the package that a file imports at any level, as paths relative to `root`."""
    names: set[str] = set()
    for node in ast.walk(ast.parse((root / path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    paths = {f"src/{name.replace('.', '/')}.py" for name in names if name.startswith("dawnchorus.")}
    return {found for found in paths if (root / found).exists()}


def all_imported_modules(root: Path, path: str) -> set[str]:
    """The modules that a file imports directly or indirectly. For backbones, their imports but not the modules."""
    found: set[str] = set()
    waiting = [path]
    while waiting:
        new = imported_modules(root, waiting.pop()) - found
        if BACKBONE_LOADER in new:
            waiting += [str(backbone.relative_to(root)) for backbone in (root / BACKBONES).glob("[!_]*.py")]
        found |= new
        waiting += new
    return {module for module in found if Path(module).parent != Path(BACKBONES)}


def code_dependencies(root: Path, script: str) -> list[str]:
    """The code files that a stage depends on, sorted. `${item.backbone}` stands for the stage's own backbone.

    Args:
        root: the project's folder.
        script: name of the stage's script, without suffix.
    """
    path = f"{SCRIPTS}/{script}.py"
    modules = all_imported_modules(root, path)
    subject = SUBJECT.get(script, [])
    without_effect = [part for part in WITHOUT_EFFECT if part not in subject]
    wanted = {
        module
        for module in modules
        if not any(module.removeprefix(f"{PACKAGE}/").startswith(part) for part in without_effect)
    }
    wanted |= {f"{PACKAGE}/{part}" for part in subject if not part.endswith("/")}
    if BACKBONE_LOADER in modules:
        wanted.add(f"{BACKBONES}/${{item.backbone}}.py")
    if any(_imports_keras((root / module).read_text(encoding="utf-8")) for module in [*modules, path]):
        # The package's `__init__` configures TensorFlow.
        wanted.add(f"{PACKAGE}/__init__.py")
    return sorted([*wanted, path])


def _imports_keras(source: str) -> bool:
    return bool(re.search(r"^\s*(import|from) keras", source, re.MULTILINE))


def with_dependencies(root: Path, text: str) -> str:
    """Update the dependencies on code in the text of a `dvc.yaml`, and return the new text."""
    lines: list[str] = []
    script, in_deps = "", False
    for line in [*text.splitlines(), ""]:
        found = re.search(rf"python {SCRIPTS}/(\w+)\.py", line)
        script = found[1] if found else script
        if in_deps and re.match(rf"      - ({PACKAGE}|{SCRIPTS})/\S+$", line):
            continue
        if in_deps and not line.startswith("      "):
            lines += [f"      - {module}" for module in code_dependencies(root, script)]
            in_deps = False
        in_deps = in_deps or line == "    deps:"
        lines.append(line)
    return "\n".join(lines)
