-- One document of a run that came in a bundle.
select lower(hex(doc_hash)) as doc_hash, prompts, choices, target
from read_parquet($path) where task = $task and doc_id = $doc_id;
