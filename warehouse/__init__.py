"""The results: journals that runs write, the DuckDB file they are merged into, and what is read from it."""
