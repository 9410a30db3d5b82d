"""Anybody's SQL, locked down, in a process that can be killed."""
