-- One row is one metric of one benchmark and what guessing scores in it, for results that do not say so themselves:
-- the published ones, imports, and runs made before it was recorded. Counted on the benchmarks' own rows. Guessing is
-- choosing among a question's choices with equal probability; always giving the most frequent answer can score more
-- (62.2 % on BoolQ).
create or replace view chance_levels as
from (values
    ('mmlu', 'acc', 0.25::double),
    ('mmlu_stem', 'acc', 0.25),
    ('mmlu_other', 'acc', 0.25),
    ('mmlu_social_sciences', 'acc', 0.25),
    ('mmlu_humanities', 'acc', 0.25),
    ('arc_challenge', 'acc', 0.2501564277588168), -- 3 to 5 choices
    ('arc_challenge', 'acc_norm', 0.2501564277588168),
    ('hellaswag', 'acc', 0.25),
    ('hellaswag', 'acc_norm', 0.25),
    ('boolq', 'acc', 0.5),
    ('piqa', 'acc', 0.5),
    ('piqa', 'acc_norm', 0.5),
    ('winogrande', 'acc', 0.5),
    ('truthfulqa_mc1', 'acc', 0.22605616877342646), -- 2 to 13 choices
    ('truthfulqa_mc2', 'acc', 0.4484092570815881), -- share of a question's choices that are true
    ('leaderboard_musr_murder_mysteries', 'acc_norm', 0.5),
    ('leaderboard_musr_team_allocation', 'acc_norm', 1 / 3),
    ('gsm8k', 'exact_match', 0), -- open answers: nothing to guess from
    ('ifeval', 'prompt_level_strict_acc', 0),
    ('ifeval', 'prompt_level_loose_acc', 0),
    ('ifeval', 'inst_level_strict_acc', 0),
    ('ifeval', 'inst_level_loose_acc', 0),
    ('lambada_openai', 'acc', 0)
) as t (task, metric, chance);
comment on view chance_levels is
    'One row is one metric of one benchmark and what guessing scores in it, where results do not say so themselves.';
comment on column chance_levels.chance is 'Mean over questions of the share that a choice at random gets right.';
