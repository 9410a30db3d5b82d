-- What the runs of models of one name say of the tasks that they scored: as recorded with the metrics, and as built.
with
mine as (
    select distinct run_id from models where model = $model
),
cell as (
    select
        run_id, task, num_fewshot, version,
        arg_max(is_group, seq) as is_group,
        arg_max(part_of, seq) as part_of,
        arg_max(questions_hash, seq) as questions_hash,
        arg_max(tokens_hash, seq) as tokens_hash
    from cells
    semi join mine using (run_id)
    group by run_id, task, num_fewshot, version
),
scored as (
    select run_id, task, num_fewshot, version, max(n) as n
    from metrics
    semi join mine using (run_id)
    group by run_id, task, num_fewshot, version
),
built as (
    select
        run_id, task,
        arg_max(requests_hash, seq) as requests_hash,
        arg_max(questions_hash, seq) as questions_hash,
        arg_max(tokens_hash, seq) as tokens_hash
    from tasks
    semi join mine using (run_id)
    group by run_id, task
)
select
    c.run_id, c.task, c.num_fewshot, c.version, c.is_group, c.part_of, s.n,
    b.requests_hash,
    coalesce(c.questions_hash, b.questions_hash) as questions_hash,
    coalesce(c.tokens_hash, b.tokens_hash) as tokens_hash
from cell c
left join scored s
    on s.run_id = c.run_id and s.task = c.task
    and s.num_fewshot is not distinct from c.num_fewshot and s.version is not distinct from c.version
left join built b on b.run_id = c.run_id and b.task = c.task
order by c.run_id, c.task, c.num_fewshot, c.version;
