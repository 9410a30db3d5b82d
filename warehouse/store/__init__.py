"""The files that results lie in: journals and the DuckDB database, how they are opened, and what is theirs."""
