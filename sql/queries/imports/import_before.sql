-- The current numbers of some models, before an import brings others.
create or replace temp table import_before as
select distinct
    m.model, m.run_id, m.seq, m.level, m.unpruned, m.pruning_pct, m.task, m.num_fewshot, m.metric, m.filter,
    m.value, m.stderr, m.n, c.harness_version, c.samples is not null as has_samples, r.revision
from current_metrics m
join (select distinct run_id, seq, harness_version, samples from cells) c using (run_id, seq)
join run_models r using (run_id)
where list_contains($models, m.model);
