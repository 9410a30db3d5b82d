-- One row is one number of two runs side by side; where one run lacks it, its columns are null.
with
latest as (
    select run_id, level, task, metric, filter, value, stderr, n, version, num_fewshot, is_group, seq
    from metrics
    where run_id in ($a, $b)
    qualify row_number() over (partition by run_id, level, task, metric, filter order by seq desc) = 1
),
before as (from latest where run_id = $a),
after as (from latest where run_id = $b)
select
    level, task, metric, filter,
    before.value as a, after.value as b, before.stderr as a_stderr, after.stderr as b_stderr,
    before.n as a_n, after.n as b_n, before.version as a_version, after.version as b_version,
    before.num_fewshot as a_shots, after.num_fewshot as b_shots,
    before.seq as a_seq, after.seq as b_seq,
    coalesce(before.is_group, after.is_group) as is_group
from before
full join after using (level, task, metric, filter)
order by try_cast(level as double) nulls last, level, task, metric, filter;
