-- Gains beyond noise, Holm's correction being over all benchmarks and levels of a model.
select model, pruning_pct, benchmark, value, baseline, delta, ci_low, ci_high, p_kind, p_table
from delta_statistics
where is_headline and table_verdict = 'gain'
order by p_table, model, pruning_pct, benchmark;
