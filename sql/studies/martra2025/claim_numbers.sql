-- One row is one change that a claim of the study is about: a benchmark at one pruned width of a model, with its noise.
-- needs: claim_changes, claim_list
create or replace view claim_numbers as
select
    c.claim, d.model, d.method, d.benchmark, d.pruning_pct, d.baseline, d.value, d.delta, d.delta_pct,
    d.ci_low_pct, d.ci_high_pct,
    d.p_holm, d.verdict, d.stderr_kind, d.retained_pct, d.improved, d.higher_is_better, d.task, d.metric, d.kind,
    d.num_fewshot, d.position, d.conditions, d.model_id, d.p_table, d.table_verdict, d.factor
from claim_list c
join claim_changes d on list_contains(c.tasks, d.task) or (c.claim = 6 and d.kind = 'perplexity');
comment on view claim_numbers is 'One row is one change that a claim of the study is about, with its noise.';
comment on column claim_numbers.verdict is
    'gain or loss where p_holm is at most 0.05, else noise: of its level alone; null without an error.';
comment on column claim_numbers.table_verdict is
    'The same of p_table, which is corrected over all benchmarks and levels: what the claims count.';
comment on column claim_numbers.claim is 'Number of the claim, 1 to 11.';
