"""Texts token by token, for many prompts at once."""
