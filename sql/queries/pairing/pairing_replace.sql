-- A pair with an earlier baseline gives way to the one with the present baseline.
delete from paired_deltas p
using pairing_work w
where not w.of_methods
    and p.run_id = w.run_id and p.seq = w.seq and p.level = w.level and p.task = w.task
    and p.metric = w.metric and p.filter = w.filter;
