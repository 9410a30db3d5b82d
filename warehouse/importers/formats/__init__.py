"""Kinds of files that can be imported, a module each with its `FORMAT`."""
