select model, pruning_pct, task, benchmark, kind, value, baseline, improved, stderr
from delta_statistics
where is_headline and origin = 'published' and not contains(model, 'Instruct')
order by model, position, pruning_pct;
