"""Where the demo model and its tasks lie in the installed package."""

from __future__ import annotations

from pathlib import Path

MODEL_DIR = Path(__file__).resolve().parent / "model"
TASKS_DIR = Path(__file__).resolve().parent / "tasks"
