-- What a score that came without an error is a share of. Of shares of questions only: there the binomial error is right;
-- of values between 0 and 1, and of groups of tasks, it is an upper bound. `questions` are the benchmark's, and say nothing
-- of a result that says how many documents it is of (n), or that is of a part of them.
create or replace macro questions_behind(n, metric, conditions, questions) as
    case
        when n is null and starts_with(conditions, 'all documents') and (
            metric in ('acc', 'acc_norm', 'acc_bytes', 'exact_match') or starts_with(metric, 'prompt_level_')
        )
        then questions
    end;
comment on macro questions_behind is
    'How many questions a score without an error is a share of; null where it is no such share, or nobody knows.';

-- A share of 0 or 1 has none.
create or replace macro binomial_stderr(score, questions) as
    case when score > 0 and score < 1 then sqrt(score * (1 - score) / questions) end;
comment on macro binomial_stderr is 'Standard error of a share of so many questions.';
