-- What these models' widths score in a few benchmarks, named by task or by benchmark in lower case, beside the unpruned model.
select
    model_id, method, repair, conditions, pruning_pct, intermediate_size, task, benchmark, num_fewshot, kind,
    value, baseline, delta, ci_low, ci_high, ci_low_pct, ci_high_pct, higher_is_better
from delta_statistics
where is_headline and list_contains($model_ids, model_id)
    and (list_contains($names, lower(task)) or list_contains($names, lower(benchmark)))
order by model_id, method, repair, conditions, pruning_pct, position, task, num_fewshot;
