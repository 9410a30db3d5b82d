"""Screens of the dashboard, a module each with its `ENTRY`. All are imported at the start: their screens are not."""
