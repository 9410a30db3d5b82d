-- What was found, in the columns of paired_deltas and paired_methods.
create or replace temp table pairing_found as
select
    w.* exclude (work, is_group, value, baseline),
    r.* exclude (work, is_group, problem, estimator),
    coalesce(r.estimator, b.estimator) as estimator,
    case
        when r.problem is not null then r.problem
        when r.estimator is null and b.estimator is null
            then 'no known way to sum the documents up gives the recorded values'
    end as problem,
    b.* exclude (work, estimator)
from pairing_work w
join pairing_results r using (work)
left join pairing_bootstraps b using (work);
