-- One row is the best pruned width of a model with one method, under given conditions. Best is the width that keeps
-- most: the highest `retained_pct` of level_scores among the widths with the most benchmarks measured (a width
-- measured on fewer cannot win by what it left out); on a tie, the narrower. It says nothing of what a saved
-- parameter is worth: `level_scores` has the parameters beside the share retained for that.
create or replace view best_level as
from level_scores
where retained_pct is not null
qualify row_number() over (
    partition by model_id, method, conditions
    order by benchmarks desc, retained_pct desc, parameters, pruning_pct desc
) = 1;
comment on view best_level is
    'One row is the pruned width of a model that keeps most of the unpruned scores, on average over benchmarks.';
