-- One row is the best pruned width of a model with one method, under given conditions, by the rule in use
-- (`current_rules`; the one that files begin with is keeps-most: the highest `retained_pct` of level_scores among the
-- widths with the most benchmarks measured). `best_levels` has all rules, and the models for which none is best.
-- needs: best_levels
create or replace view best_level as
select * exclude (in_use)
from best_levels
where in_use and pruning_pct is not null;
comment on view best_level is 'One row is the best pruned width of a model, by the rule in use; `why` says why.';
