"""The page in which `dvc plots` draws: with Vega's scripts in it, so that it opens without a network."""

import re
from typing import Any

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
{refresh_tag}
<link rel="icon" href="data:,">
<title>Plots of experiments: Dawnchorus</title>
<style>
body { margin: 1rem; font: 1rem/1.5 system-ui, sans-serif; display: flex; flex-wrap: wrap; gap: 1rem; }
body > div { max-width: 100%; overflow-x: auto; }
</style>
<script>
SCRIPTS
</script>
</head>
<body>
{plot_divs}
</body>
</html>
"""


def plots_page() -> str:
    """The template for DVC's option `plots.html_template`, with the places that DVC fills."""
    # It belongs to the extra `workflow`, and has no types.
    import vl_convert

    converter: Any = vl_convert
    # A closing tag in a text would end the script.
    scripts = re.sub(r"</(?=script)", r"<\\/", converter.javascript_bundle(), flags=re.IGNORECASE)
    return PAGE.replace("SCRIPTS", scripts)
