-- What every document of a task asks, in one text each: prompts and choices.
select $task as task, doc_id, array_to_string(list_concat(prompts, choices), chr(10)) as text
from read_parquet($path);
