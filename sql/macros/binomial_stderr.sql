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
