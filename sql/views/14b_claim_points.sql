-- One row is one headline metric at one width of a model, the full one included, with a standard error where one can be
-- given. Where a score has none (the study publishes three benchmarks' only), it is binomial, sqrt(p (1 - p) / n), with
-- the number of questions of the split that lm-eval scores: for a mean of values between 0 and 1 an upper bound.
create or replace view claim_points as
select
    h.model_id, h.model, h.method, h.conditions, h.task, h.num_fewshot, h.version, h.metric, h.filter, h.benchmark,
    h.position, h.kind, h.higher_is_better, h.pruning_pct, h.intermediate_size, h.unpruned, h.parameters, h.value,
    case
        when isfinite(h.stderr) and h.stderr > 0 then h.stderr
        when h.stderr is null and h.kind = 'score' and h.value between 0 and 1
            and h.metric in ('acc', 'acc_norm', 'exact_match', 'prompt_level_strict_acc')
            then sqrt(h.value * (1 - h.value) / coalesce(h.n, q.questions))
    end as stderr,
    h.stderr is null as stderr_is_binomial,
    h.run_id,
    h.seq,
    h.level
from headline_metrics h
left join question_counts q on q.task = h.task
where isfinite(h.value);
comment on view claim_points is
    'One row is one headline metric at one width, with a standard error where one can be given.';
comment on column claim_points.stderr_is_binomial is 'True where no error was recorded.';
