-- One document of a task, as a run asked it; all of them where none is named.
select doc_id, lower(hex(doc_hash)) as doc_hash, prompts, choices, target from read_parquet($path)
where $doc_id::integer is null or doc_id = $doc_id;
