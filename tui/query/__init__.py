"""Query: anybody's SQL on a screen."""
