-- The changes that the study's claims are about, each with its noise.
select
    claim, model, method, conditions, benchmark, num_fewshot, pruning_pct, baseline, value, delta_pct, ci_low_pct,
    ci_high_pct, p_holm, verdict, stderr_kind
from claim_numbers
order by claim, model, method, conditions, position, benchmark, num_fewshot, pruning_pct;
