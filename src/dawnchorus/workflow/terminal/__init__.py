"""What a run of Snakemake shows on the terminal: its jobs, the time left, failures, and the figures at the end.

`snakemake_logger_plugin_dawnchorus` passes Snakemake's events to `display.py`.
"""
