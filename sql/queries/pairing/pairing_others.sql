-- Metrics that are no mean of their documents' values, though the documents could be paired.
select r.work, w.value, w.baseline
from pairing_results r
join pairing_work w using (work)
where r.problem is null and r.estimator is null and not r.is_group
order by r.work;
