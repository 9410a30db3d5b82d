-- One row is one benchmark whose headline metric is settled (as in Martra 2025, arXiv 2512.22671), with the
-- name and position it has in tables. PIQA is acc at every size, although the study's 3B table prints acc_norm.
create or replace view benchmarks as
from (values
    ('mmlu', 1, 'MMLU', 'acc', 'none'),
    ('gsm8k', 2, 'GSM8K', 'exact_match', 'flexible-extract'),
    ('arc_challenge', 3, 'ARC-C', 'acc_norm', 'none'),
    ('hellaswag', 4, 'HellaSwag', 'acc_norm', 'none'),
    ('boolq', 5, 'BoolQ', 'acc', 'none'),
    ('piqa', 6, 'PIQA', 'acc', 'none'),
    ('ifeval', 7, 'IFEval', 'prompt_level_strict_acc', 'none'),
    ('leaderboard_musr', 8, 'MuSR', 'acc_norm', 'none'),
    ('truthfulqa_mc1', 9, 'TruthfulQA-MC1', 'acc', 'none'),
    ('truthfulqa_mc2', 10, 'TruthfulQA-MC2', 'acc', 'none'),
    ('winogrande', 11, 'WinoGrande', 'acc', 'none'),
    ('wikitext', 12, 'WikiText', 'word_perplexity', 'none'),
    ('lambada_openai', 13, 'LAMBADA', 'perplexity', 'none')
) as t (task, position, benchmark, metric, filter);
comment on view benchmarks is 'One row is one benchmark whose headline metric is settled, as the study prints it.';
comment on column benchmarks.position is 'Place in tables, from the left.';
comment on column benchmarks.metric is 'The benchmark''s headline metric, by lm-eval''s name for it.';
