"""How much memory an evaluation takes, and how many tokens it may take at once: arithmetic without torch.

The worker and the forecast share these numbers, so that what is said beforehand is what is done.
"""

from __future__ import annotations

GPU_TOKENS = 2**17  # most tokens of one forward pass, where the memory would hold more
CPU_TOKENS = 4096  # off CUDA, where larger batches gain nothing
LOGITS = 2**28  # elements that exist at a time: 1 GiB in float32
GPU_SEQUENCES = 640  # generated at a time
CPU_SEQUENCES = 128
CPU_CACHE = 2**32  # bytes, off CUDA, of all of them
CACHE_SHARE = 0.4  # of the free memory; `batch_tokens` leaves as much


def batch_tokens(free: int, *, hidden_size: int, intermediate_size: int, itemsize: int) -> int:
    """Tokens of one forward pass on a CUDA GPU, as a cautious estimate of activations per token.

    `free` bytes are there once the weights are loaded.
    """
    per_token = itemsize * (16 * hidden_size + 4 * intermediate_size)
    logits = 3 * 2**30
    return max(256, min(GPU_TOKENS, int((free - logits) * 0.6) // per_token))


def working_bytes(
    tokens: int, *, hidden_size: int, intermediate_size: int, vocab_size: int, itemsize: int, fused: bool
) -> int:
    """What a forward pass holds beside the weights at its worst moment: inside an MLP, or at the logits.

    Measured with Llama-3.2-1B at 131 072 tokens on an H200: 7.84 GiB, and 8.0 by this. With `fused`, gate and up are
    one tensor, joined by a copy. A compiled output layer takes less than is counted here.
    """
    mlp = tokens * ((4 if fused else 3) * intermediate_size + 4 * hidden_size) * itemsize
    rows = min(tokens, max(1, LOGITS // vocab_size))
    # The logits, the same in float32 unless they are, and the softmax's.
    logits = rows * vocab_size * (itemsize + (4 if itemsize < 4 else 0) + 4)
    return max(mlp, 2 * tokens * hidden_size * itemsize + logits)
