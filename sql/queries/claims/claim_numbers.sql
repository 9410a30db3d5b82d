-- The changes that the study's claims are about, each with its noise, of the chosen models (null: all).
select
    claim, model, method, conditions, benchmark, num_fewshot, pruning_pct, baseline, value, delta_pct, ci_low_pct,
    ci_high_pct, p_holm, verdict, stderr_kind
from claim_numbers
where $models::varchar[] is null or list_contains($models::varchar[], model_id)
order by claim, model, method, conditions, position, benchmark, num_fewshot, pruning_pct;
