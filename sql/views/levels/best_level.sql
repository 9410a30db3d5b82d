-- One row is the best pruned width of a model with one method, under given conditions, by the rule in use
-- (`current_rules`; the one that files begin with is keeps-most: the highest `retained_pct` of level_scores among the
-- widths with the most benchmarks measured). `best_levels` has all rules, and the models for which none is best.
-- needs: best_levels
create or replace view best_level as
select * exclude (in_use)
from best_levels
where in_use and pruning_pct is not null;
comment on view best_level is 'One row is the best pruned width of a model, by the rule in use; `why` says why.';
comment on column best_level.improved is
    'Benchmarks that are better, with every number of shots they were measured with.';
comment on column best_level.benchmarks is 'Benchmarks that have a share to take: those of retained_pct.';
comment on column best_level.second_pct is 'pruning_pct of the level that comes second; null where there is none.';
comment on column best_level.second_score is 'Its score, in the unit given; null where there is none.';
comment on column best_level.clear_of_second is
    'Whether the score is beyond noise of the second''s (95 %), the two taken as independent; null if unknown.';
comment on column best_level.eligible_levels is
    'Levels that hold every floor and are measured on all that the rule needs.';
comment on column best_level.levels_missing is 'Levels that lack a measurement that the rule needs.';
