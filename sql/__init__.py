"""The warehouse's SQL: numbered migrations, views and the program's own queries, as files."""
