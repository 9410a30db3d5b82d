"""The corpus as rows of token ids."""

from __future__ import annotations

import multiprocessing
import os
import random
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import islice

import numpy as np
from tokenizers import Tokenizer

from benchmarks.demo_model.corpus import documents
from benchmarks.demo_model.tokenizer import BOS_ID, EOS_ID

SHARDS = 64
_DOCUMENTS_AT_ONCE = 2000
# lm-eval's rolling requests put a second beginning-of-sequence token before a text.
_SHARE_WITH_TWO_BOS = 0.05


def _shard(index: int, seed: int, tokenizer_json: str, rows: int, length: int) -> np.ndarray:
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    tokenizer = Tokenizer.from_str(tokenizer_json)
    shard_seed = seed * SHARDS + index
    texts, rng = documents(shard_seed), random.Random(shard_seed)
    packed = np.empty((rows, length), dtype=np.uint16)
    filled, row = 0, []
    while True:
        for encoding in tokenizer.encode_batch(list(islice(texts, _DOCUMENTS_AT_ONCE))):
            row += ([BOS_ID] if rng.random() < _SHARE_WITH_TWO_BOS else []) + encoding.ids + [EOS_ID]
            if len(row) >= length:
                packed[filled] = row[:length]
                filled, row = filled + 1, []
                if filled == rows:
                    return packed


def training_rows(tokenizer: Tokenizer, seed: int, rows: int, length: int) -> np.ndarray:
    """`rows` × `length` token ids (uint16), each row beginning with a document and cut off at its end.

    The shards are the same however many processes make them.
    """
    work = partial(_shard, seed=seed, tokenizer_json=tokenizer.to_str(), rows=-(-rows // SHARDS), length=length)
    with ProcessPoolExecutor(mp_context=multiprocessing.get_context("spawn")) as pool:
        return np.concatenate(list(pool.map(work, range(SHARDS))))[:rows]
