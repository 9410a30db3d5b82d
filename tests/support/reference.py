"""The folder beside the repository that only some have: whole benchmarks, a real model, the study's own files."""

from __future__ import annotations

from pathlib import Path

SHARED = Path(__file__).resolve().parents[3] / "shared"
WITHOUT_SHARED = "not tested without ../shared:"
