select
    model, pruning_pct, task, benchmark, kind, value, baseline, improved, stderr,
    case stderr_kind when 'unpaired' then 'published' else stderr_kind end as source,
    p_value, p_holm, ci_low_pct, ci_high_pct, p_table
from delta_statistics
where is_headline and origin = 'published' and not contains(model, 'Instruct')
order by model, position, pruning_pct;
