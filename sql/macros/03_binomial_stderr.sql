-- What a score is a share of. Of shares of questions only: there the binomial error is right; of values between 0 and 1,
-- and of groups of tasks, it is an upper bound.
create or replace macro is_share(metric) as
    metric in ('acc', 'acc_norm', 'acc_bytes', 'exact_match', 'em', 'pass@1') or starts_with(metric, 'prompt_level_');
comment on macro is_share is 'Whether lm-eval''s metric of this name is the share of questions answered rightly.';

-- Of a score without an error. `questions` are the benchmark's, and say nothing of a result that says how many documents
-- it is of (n), or that is of a part of them.
create or replace macro questions_behind(n, metric, conditions, questions) as
    case when is_share(metric) then coalesce(n, case when starts_with(conditions, 'all documents') then questions end) end;
comment on macro questions_behind is
    'How many questions a score without an error is a share of; null where it is no such share, or nobody knows.';

-- Two shares are tested with one right and one wrong answer added to each (Agresti and Caffo 2000), which holds what 95 %
-- promises for few questions and for shares of 0 or 1, whose plain error would be 0: these have the error so made.
create or replace macro share_of_more(score, questions) as (score * questions + 1) / (questions + 2);
create or replace macro stderr_of_more(score, questions) as
    sqrt(share_of_more(score, questions) * (1 - share_of_more(score, questions)) / (questions + 1));
create or replace macro binomial_stderr(score, questions) as
    case
        when score > 0 and score < 1 then sqrt(score * (1 - score) / questions)
        when score in (0, 1) then stderr_of_more(score, questions)
    end;
comment on macro share_of_more is 'A share of so many questions, one right and one wrong answer added.';
comment on macro stderr_of_more is 'Standard error of that share.';
comment on macro binomial_stderr is 'Standard error of a share of so many questions.';

-- lm-eval's own error of a share, sqrt(p (1 - p) / (n - 1)), says that its values are 0 or 1; of a share of 0 or 1 it is 0.
create or replace macro is_share_stderr(score, stderr, n) as
    n > 1 and abs(stderr ** 2 * (n - 1) - score * (1 - score)) <= 1e-6;
comment on macro is_share_stderr is 'Whether an error is that of a share of n questions.';
