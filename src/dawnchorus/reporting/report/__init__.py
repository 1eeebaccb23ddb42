"""The report: one self-contained HTML page about an experiment.

Modules compute what the sections show, draw charts as SVG, and fill the templates in `templates/`.
"""
