"""The files of the page, and all of them in one file that needs no server."""

import base64
import hashlib
import re
from importlib import resources

PAGE = resources.files("dawnchorus.review") / "page"
TYPES = {".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8",
         ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}  # fmt: skip
INDEX, STYLE, APP = "index.html", "style.css", "app.js"
IMPORT = re.compile(r'^import (\{[^}]*\}) from "\./(\w+)\.js";$', re.MULTILINE)
EXPORT = re.compile(r"^export ((?:async )?(?:function|class|const) (\w+))", re.MULTILINE)


def page_files() -> dict[str, tuple[bytes, str]]:
    """Content and media type of each file, by name."""
    return {
        file.name: (file.read_bytes(), TYPES["." + file.name.rpartition(".")[2]])
        for file in sorted(PAGE.iterdir(), key=lambda each: each.name)
    }


def one_page(data: str) -> str:
    """The page as one HTML file. It may run no script but its own, and cannot reach any network.

    Args:
        data: HTML elements with what the page shows; without scripts that run.
    """
    script, style = _joined_modules(), (PAGE / STYLE).read_text()
    encoding = '<meta charset="utf-8" />'
    policy = f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'"
    replacements = {
        encoding: f'{encoding}\n    <meta http-equiv="Content-Security-Policy" content="{policy}" />',
        '    <link rel="icon" href="icon.svg" />\n': "",
        f'<link rel="stylesheet" href="{STYLE}" />': f"<style>{style}</style>",
        f'    <script type="module" src="{APP}"></script>\n': "",
        "  </body>": f'{data}<script type="module">{script}</script>\n  </body>',
    }
    page = (PAGE / INDEX).read_text()
    for found, replacement in replacements.items():
        if page.count(found) != 1:
            raise RuntimeError(f"{INDEX} must have {found!r} once")
        page = page.replace(found, replacement)
    return page


def _joined_modules() -> str:
    """All modules as one script: a function for each, which returns what the module exports."""
    done: dict[str, str] = {}

    def add(name: str) -> None:
        if name in done:
            return
        text = (PAGE / f"{name}.js").read_text()
        for _, imported in IMPORT.findall(text):
            add(imported)
        exported = ", ".join(found for _, found in EXPORT.findall(text))
        body = EXPORT.sub(r"\1", IMPORT.sub(r"const \1 = from_\2;", text))
        done[name] = f"const from_{name} = (() => {{\n{body}return {{ {exported} }};\n}})();\n"

    add(APP.removesuffix(".js"))
    joined = "\n".join(done.values())
    if "</script" in joined or "<!--" in joined:
        raise RuntimeError("a module has characters that end a script in HTML")
    return joined


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
