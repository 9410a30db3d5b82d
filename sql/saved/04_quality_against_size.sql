-- Parameters left and scores kept at each level: which level is worth its size?
select model, pruning_pct, parameters, round(parameters_pct, 1) as parameters_pct, round(retained_pct, 1) as retained_pct
from level_scores
order by model, pruning_pct;
