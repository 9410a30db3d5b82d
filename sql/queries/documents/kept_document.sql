-- One document, or each, of a run that came in a bundle.
select doc_id, lower(hex(doc_hash)) as doc_hash, prompts, choices, target
from read_parquet($path) where task = $task and ($doc_id::integer is null or doc_id = $doc_id);
