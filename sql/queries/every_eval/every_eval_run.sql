-- Of whom a run's scores are, and what measured them: the latest of each that it wrote down. `versions` are those of packages.
select
    r.run_id, r.name, r.origin, r.model_id, r.model, r.revision, r.dtype, r.conditions, r.method, r.repair,
    (from (select provenance -> 'versions' from attempts where run_id = $run_id order by seq desc limit 1)) as versions
from run_overview r
where r.run_id = $run_id;
