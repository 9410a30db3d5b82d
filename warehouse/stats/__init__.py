"""Statistics: metrics over documents, documents compared in pairs, tests and intervals."""
