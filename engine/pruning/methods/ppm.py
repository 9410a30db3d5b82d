"""Peak-to-peak magnitude, an earlier name of maw."""

from engine.pruning.methods.maw import scores as scores

TITLE = "peak-to-peak magnitude"
FORMULA = "max + |min| of its gate and up weights"
CITATION = (
    "P. Martra, *Fragile Knowledge, Robust Instruction-Following: The Width Pruning Dichotomy in Llama-3.2*, 2025, "
    "[arXiv 2512.22671](https://arxiv.org/abs/2512.22671)"
)
