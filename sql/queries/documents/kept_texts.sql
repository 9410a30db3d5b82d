-- The same of a run that came in a bundle, whose file has all of its tasks.
select task, doc_id, array_to_string(list_concat(prompts, choices), chr(10)) as text
from read_parquet($path)
where list_contains($tasks, task);
