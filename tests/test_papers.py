"""LICENSE, CITATION.cff, CONTRIBUTING.md and CHANGELOG.md agree with the project."""

import re
import tomllib

from ruamel.yaml import YAML
from tiny import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_the_citation_and_the_changelog_have_the_package_version_and_licence() -> None:
    citation = YAML(typ="safe").load(ROOT / "CITATION.cff")
    assert (citation["version"], citation["license"]) == (PROJECT["version"], PROJECT["license"])
    released = re.findall(r"^## \[(\d.*?)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert released[0] == PROJECT["version"]


def test_the_files_and_commands_that_contributing_names_exist() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    paths = set(re.findall(r"(?<![\w/.])(?:src|workflow|tests|docs)/[\w/]*(?:\.\w+)?", text))
    assert len(paths) >= 14
    assert [path for path in paths if not (ROOT / path).exists()] == []
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert set(re.findall(r"make (\w+)(?=`| {2,}#)", text)) <= set(targets)


def test_contributing_lists_every_sub_package() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    for folder in (ROOT / "src/dawnchorus").iterdir():
        if (folder / "__init__.py").exists():
            assert f"`{folder.name}/`" in text, folder.name
