-- What a score is a share of. Of shares of questions only: there the binomial error is right; of values between 0 and 1,
-- and of groups of tasks, it is an upper bound.
create or replace macro is_share(metric) as
    metric in ('acc', 'acc_norm', 'acc_bytes', 'exact_match', 'em', 'pass@1') or starts_with(metric, 'prompt_level_');
comment on macro is_share is 'Whether lm-eval''s metric of this name is the share of questions answered rightly.';
