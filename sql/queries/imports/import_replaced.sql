-- The numbers that were current before an import and no longer are, beside those that took their place. What says the
-- same of as many documents, and has their results if the other had, replaces nothing.
with
after as (
    select distinct
        m.model, m.run_id, m.seq, m.level, m.unpruned, m.pruning_pct, m.task, m.num_fewshot, m.metric, m.filter,
        m.value, m.stderr, m.n, c.harness_version, c.samples is not null as has_samples, r.revision
    from current_metrics m
    join (select distinct run_id, seq, harness_version, samples from cells) c using (run_id, seq)
    join run_models r using (run_id)
    where list_contains($models, m.model)
),
gone as (
    select * from import_before
    anti join after using (run_id, seq, metric, filter)
)
select
    gone.model, gone.level, gone.unpruned, gone.task, gone.metric, gone.filter, gone.num_fewshot,
    gone.run_id, gone.value, gone.n, gone.revision, gone.harness_version,
    after.run_id, after.value, after.n, after.revision, after.harness_version
from gone
join after
    on after.model = gone.model and after.unpruned = gone.unpruned
    and (gone.unpruned or after.pruning_pct = gone.pruning_pct)
    and after.task = gone.task and after.metric = gone.metric and after.filter = gone.filter
    and after.num_fewshot is not distinct from gone.num_fewshot
    and list_contains($run_ids, after.run_id)
where
    (after.value, after.stderr, after.n) is distinct from (gone.value, gone.stderr, gone.n)
    or (gone.has_samples and not after.has_samples)
order by all;
