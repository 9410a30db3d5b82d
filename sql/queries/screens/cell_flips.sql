-- Documents of a cell whose score differs from the unpruned model's: the largest changes first. `changed`, `rose`,
-- `fell` and `documents` (documents that both runs scored) count all of them, whatever the limit leaves out.
with
parts as (
    select run_id, level, task, max(seq) as seq
    from cells
    where not is_group
        and (task = $task or part_of = $task)
        and ((run_id = $run_id and level = $level) or (run_id = $baseline_run_id and level = $baseline_level))
    group by run_id, level, task
),
scored as (
    select s.*
    from samples s
    join parts using (run_id, level, task, seq)
    where s.metric = $metric and s.filter = $filter and s.value is not null
),
paired as (
    select
        a.task,
        a.doc_id,
        b.value as before,
        a.value as after,
        b.response as answer_before,
        a.response as answer_after,
        count(*) over () as documents
    from scored a
    join scored b using (task, doc_id)
    where a.run_id = $run_id and a.level = $level and b.run_id = $baseline_run_id and b.level = $baseline_level
)
select
    task, doc_id, before, after, answer_before, answer_after,
    count(*) over () as changed,
    count(*) filter (after > before) over () as rose,
    count(*) filter (after < before) over () as fell,
    documents
from paired
where before <> after
order by abs(after - before) desc, task, doc_id
limit 500;
