-- Every document of a task, or of a group's parts, as one level scored it, and beside it what another level scored: of
-- the same run or of another one, such as another method's. `before` and `answer_before` are the other's.
with
parts as (
    select run_id, level, task, max(seq) as seq
    from cells
    where not is_group
        and (task = $task or part_of = $task)
        and ((run_id = $run_id and level = $level) or (run_id = $other_run_id and level = $other_level))
    group by run_id, level, task
),
scored as (
    select s.*
    from samples s
    join parts using (run_id, level, task, seq)
    where s.metric = $metric and s.filter = $filter
),
others as (
    select * from scored where run_id = $other_run_id and level = $other_level
)
select
    s.task,
    s.doc_id,
    o.value as before,
    s.value as after,
    o.response as answer_before,
    s.response as answer_after
from scored s
left join others o on o.task = s.task and o.doc_id = s.doc_id
where s.run_id = $run_id and s.level = $level
order by s.task, s.doc_id;
