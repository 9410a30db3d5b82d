-- One row is one number of two runs side by side; where one run lacks it, its side is null. Levels of the same name are
-- compared, or one level of a run with one of the other (or of the same run): both then go by the first one's name.
with
latest as (
    select
        run_id, level, task, metric, filter,
        {value: value, stderr: stderr, version: version, num_fewshot: num_fewshot} as measured
    from metrics
    where run_id in ($a, $b)
    qualify row_number() over (partition by run_id, level, task, metric, filter order by seq desc) = 1
),
before as (from latest where run_id = $a and level = coalesce($a_level, level)),
after as (
    select * replace (case when $b_level is null then level else $a_level end as level)
    from latest
    where run_id = $b and level = coalesce($b_level, level)
)
select level, task, metric, filter, before.measured as a, after.measured as b
from before
full join after using (level, task, metric, filter)
order by try_cast(level as double) nulls last, level, task, metric, filter;
