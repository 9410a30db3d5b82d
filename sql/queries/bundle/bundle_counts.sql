-- The runs of a bundle: how many of its events are new here.
select run_id, count(*) filter (not known) as new from bundle_events group by run_id order by run_id;
