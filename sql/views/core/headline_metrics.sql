-- One row is one benchmark at one width of a model, by the metric that stands for it: marked_metrics has the rule.
-- needs: marked_metrics
create or replace view headline_metrics as
select * exclude (is_headline, by_run, sweep)
from marked_metrics
where is_headline;
comment on view headline_metrics is 'One row is one benchmark at one width of a model, by its headline metric.';
