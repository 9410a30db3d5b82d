-- Of a score without an error. `questions` are the benchmark's, and say nothing of a result that says how many documents
-- it is of (n), or that is of a part of them.
-- needs: is_share
create or replace macro questions_behind(n, metric, conditions, questions) as
    case when is_share(metric) then coalesce(n, case when starts_with(conditions, 'all documents') then questions end) end;
comment on macro questions_behind is
    'How many questions a score without an error is a share of; null where it is no such share, or nobody knows.';
