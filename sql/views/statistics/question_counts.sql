-- One row is one benchmark and how many questions the split has that lm-eval scores, for results that do not say it
-- themselves, as the published ones. Counted on the benchmarks' own rows; MuSR's is the sum of its three splits, 250 +
-- 256 + 250, of which only parts were at hand to count, and the one number below 1512 that the study's scores are shares of.
create or replace view question_counts as
from (values
    ('mmlu', 14042), ('gsm8k', 1319), ('arc_challenge', 1172), ('hellaswag', 10042), ('boolq', 3270), ('piqa', 1838),
    ('ifeval', 541), ('leaderboard_musr', 756), ('truthfulqa_mc1', 817), ('truthfulqa_mc2', 817), ('winogrande', 1267)
) as t (task, questions);
comment on view question_counts is
    'One row is one benchmark and how many questions the split has that lm-eval scores.';
comment on column question_counts.questions is 'All of the split''s: results of fewer carry a number of their own.';
