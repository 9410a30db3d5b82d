"""Tasks whose functions draw from `random` and `numpy.random`, and cannot be sent to another process."""

from __future__ import annotations

TASK = """
task: NAME
custom_dataset: !function data.load
process_docs: !function data.shuffled
test_split: test
fewshot_split: test
num_fewshot: 2
output_type: multiple_choice
doc_to_text: !function data.asked
doc_to_choice: "{{c}}"
doc_to_target: "{{l}}"
metric_list: [{metric: acc, aggregation: mean, higher_is_better: true}]
metadata: {version: 1.0}
"""
# As GPQA does, and RULER: choices in an order that is drawn, and a number in the prompt.
DATA = """
import random
from random import randint

import numpy as np
from datasets import Dataset, DatasetDict

def load(**_):
    return DatasetDict(test=Dataset.from_list([{"q": f"Is it {i}?", "c": list("abcdef"), "l": 0} for i in range(8)]))

def shuffled(documents):
    return documents.map(lambda one: {"c": random.sample(one["c"], 6)}, load_from_cache_file=False)

def asked(document):
    return f"{document['q']} {random.random()} {randint(1, 10**9)} {np.random.randint(10**6)}"

def broken(document):
    raise ValueError("no such thing")
"""
