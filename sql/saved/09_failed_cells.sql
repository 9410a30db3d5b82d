-- Cells whose last word is an error, here and in every later run of the same model, conditions, width and task.
select name, level, task, error, recorded_at
from open_failures
order by recorded_at desc;
