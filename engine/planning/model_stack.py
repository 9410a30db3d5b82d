"""What worker processes need beside this program, looked for without loading any of it."""

from __future__ import annotations

from importlib.util import find_spec

from engine.errors import UserError

PACKAGES = {
    "torch": "torch", "transformers": "transformers", "lm_eval": "lm-eval", "datasets": "datasets",
    "safetensors": "safetensors", "huggingface_hub": "huggingface-hub",
}  # fmt: skip
"""Import name → distribution."""


def missing() -> list[str]:
    """The distributions that are not installed."""
    return [distribution for module, distribution in PACKAGES.items() if find_spec(module) is None]


def require_llama_cpp() -> None:
    """Raises:
    UserError: there is no llama.cpp to score GGUF files with.
    """
    if find_spec("cyllama") is None:
        raise UserError(
            "llama.cpp is not installed: pip install 'prune-tui[llama-cpp]', or leave --engine out, and transformers "
            "scores the file, dequantised."
        )


def require() -> None:
    """Raises:
    UserError: what measures models is not installed here.
    """
    if lacking := missing():
        raise UserError(
            f"This installation of prune-tui reads results and measures nothing: {', '.join(lacking)} "
            f"{'is' if len(lacking) == 1 else 'are'} not installed. `pip install prune-tui` brings what is missing."
        )
