-- What has to be compared: metrics of pruned widths whose pair with the current baseline is not in paired_deltas, and pairs
-- of methods that are not in paired_methods.
create or replace temp table pairing_work as
with due as (
    select
        d.run_id, d.seq, d.level, d.task, d.metric, d.filter,
        d.baseline_run_id, d.baseline_seq, d.baseline_level,
        d.is_group, d.value, d.baseline, false as of_methods
    from pairing_deltas d
    anti join paired_deltas p using (
        run_id, seq, level, task, metric, filter, baseline_run_id, baseline_seq, baseline_level
    )
    union all by name
    select m.*, true as of_methods
    from pairing_methods m
    anti join paired_methods p using (
        run_id, seq, level, task, metric, filter, baseline_run_id, baseline_seq, baseline_level
    )
)
select row_number() over () as work, * from due;
