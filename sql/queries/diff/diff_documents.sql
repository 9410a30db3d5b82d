-- One row is one number of two runs whose documents can be paired: how many differ, which way, and what a paired test
-- needs. A group's documents are those of its parts. `$a_level` and `$b_level` are as in `diff_metrics`.
with
latest as (
    select run_id, level, task, part_of, max(seq) as seq
    from cells
    where run_id in ($a, $b) and not is_group
    group by run_id, level, task, part_of
    qualify row_number() over (partition by run_id, level, task order by max(seq) desc) = 1
),
scored as (
    select s.run_id, s.level, s.task, l.part_of, s.doc_id, s.metric, s.filter, s.value, s.response
    from samples s
    join latest l using (run_id, level, task, seq)
    where s.run_id in ($a, $b)
),
paired as (
    select
        level, task, coalesce(a.part_of, b.part_of) as part_of, metric, filter, doc_id,
        a.run_id is null as only_b,
        b.run_id is null as only_a,
        a.value as before,
        b.value as after,
        coalesce(b.value - a.value, 0) as change,
        a.value is distinct from b.value as changed,
        a.response is distinct from b.response as answered
    from (from scored where run_id = $a and level = coalesce($a_level, level)) a
    full join (
        select * replace (case when $b_level is null then level else $a_level end as level)
        from scored
        where run_id = $b and level = coalesce($b_level, level)
    ) b using (level, task, metric, filter, doc_id)
),
scoped as (
    select *, task as scope from paired
    union all
    select *, part_of as scope from paired where part_of is not null
)
select
    level, scope as task, metric, filter,
    count(*) filter (not only_a and not only_b) as documents,
    count(*) filter (only_a) as only_a,
    count(*) filter (only_b) as only_b,
    count(*) filter (changed and not only_a and not only_b) as changed,
    count(*) filter (after > before) as rose,
    count(*) filter (after < before) as fell,
    count(*) filter (answered and not only_a and not only_b) as answered,
    avg(change order by task, doc_id) filter (before is not null and after is not null) as mean_change,
    stddev_samp(change order by task, doc_id) filter (before is not null and after is not null) as change_sd,
    count(*) filter (before is not null and after is not null) as scored,
    bool_and(before in (0, 1) and after in (0, 1)) filter (before is not null and after is not null) as right_or_wrong,
    list({'task': task, 'doc_id': doc_id, 'a': before, 'b': after} order by abs(change) desc, task, doc_id)
        filter (changed and not only_a and not only_b)[:$most] as which
from scoped
group by level, scope, metric, filter;
