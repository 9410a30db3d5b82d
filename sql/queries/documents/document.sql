-- One document of a task, as a run asked it.
select lower(hex(doc_hash)) as doc_hash, prompts, choices, target from read_parquet($path) where doc_id = $doc_id;
