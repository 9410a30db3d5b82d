"""Formats that delta tables are written in, a module each with its `EXPORTER`.

What a format needs is imported when it is used: the command line lists them before that.
"""
