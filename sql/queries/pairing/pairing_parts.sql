-- The tasks whose documents make each metric: the task itself, or all tasks below a group, as they stood when the
-- group's aggregate was made. `asked` says whether both widths were asked the same questions, null if nobody knows.
create or replace temp table pairing_parts as
with recursive
side as (
    select distinct run_id, level, task, seq, is_group from pairing_work
    union
    select baseline_run_id, baseline_level, task, baseline_seq, is_group from pairing_work
),
below as (
    select s.run_id, s.level, s.task as top, s.seq as top_seq, s.task, s.seq, s.is_group from side s
    union
    select b.run_id, b.level, b.top, b.top_seq, c.task, c.seq, c.is_group
    from below b
    join cells c
        on c.run_id = b.run_id and c.level = b.level and c.part_of = b.task and c.seq < b.top_seq
    where b.is_group
),
leaf as (
    select run_id, level, top, top_seq, task, max(seq) as seq
    from below
    where not is_group
    group by all
),
asked as (
    select run_id, task, arg_max(requests_hash, seq) as requests_hash
    from tasks
    where run_id in (select run_id from side)
    group by run_id, task
)
select
    w.work,
    coalesce(a.task, b.task) as part,
    a.seq,
    b.seq as baseline_seq,
    case
        when w.run_id = w.baseline_run_id then true
        else qa.requests_hash = qb.requests_hash
    end as asked
from (select w.work, w.run_id, l.task, l.seq from pairing_work w
    join leaf l on l.run_id = w.run_id and l.level = w.level and l.top = w.task and l.top_seq = w.seq) a
full join (select w.work, w.baseline_run_id, l.task, l.seq from pairing_work w
    join leaf l on l.run_id = w.baseline_run_id and l.level = w.baseline_level and l.top = w.task
        and l.top_seq = w.baseline_seq) b
    on a.work = b.work and a.task = b.task
join pairing_work w on w.work = coalesce(a.work, b.work)
left join asked qa on qa.run_id = w.run_id and qa.task = a.task
left join asked qb on qb.run_id = w.baseline_run_id and qb.task = b.task;
