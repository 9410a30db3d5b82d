-- One row is one lm-eval metric: which to show first for a task that `benchmarks` does not name (the smallest
-- preference wins), and which kind of table it belongs in.
create or replace view metric_order as
from (values
    ('acc_norm', 1, 'score'),
    ('acc', 2, 'score'),
    ('exact_match', 3, 'score'),
    ('prompt_level_strict_acc', 4, 'score'),
    ('pass@1', 5, 'score'),
    ('f1', 6, 'score'),
    ('mcc', 7, 'score'),
    ('word_perplexity', 8, 'perplexity'),
    ('perplexity', 9, 'perplexity'),
    ('byte_perplexity', 10, 'perplexity'),
    ('bits_per_byte', 11, 'perplexity'),
    ('kl_divergence', 12, 'damage'),
    ('top1_agreement', 13, 'damage')
) as t (metric, preference, kind);
comment on view metric_order is 'One row is one lm-eval metric: its rank as headline of an unlisted task, and its kind.';
comment on column metric_order.kind is 'perplexity, score or damage: perplexities have tables of their own; damage is the distance to the unpruned model.';
comment on column metric_order.preference is 'Rank as headline: the smallest wins.';
