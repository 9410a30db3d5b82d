-- One row is one metric of one benchmark and what guessing scores in it, for results that do not say so themselves:
-- the published ones, imports, and runs made before it was recorded. Counted on the benchmarks' own rows. Guessing is
-- choosing among a question's choices with equal probability; always giving the most frequent answer can score more
-- (62.2 % on BoolQ).
create or replace view chance_levels as
from (values
    ('mmlu', 'acc', 0.25::double)
) as t (task, metric, chance);
comment on view chance_levels is
    'One row is one metric of one benchmark and what guessing scores in it, where results do not say so themselves.';
comment on column chance_levels.chance is 'Mean over questions of the share that a choice at random gets right.';
