-- One row is the latest value of one metric of one task at one width of a model, as metric_values tells it.
-- needs: metric_values
create or replace view current_metrics as
select * exclude (by_run, sweep)
from metric_values;
comment on view current_metrics is
    'One row is the latest value of one metric of one task at one width of a model, under given conditions.';
comment on column current_metrics.run_id is 'The run that measured it; with seq, the event in its journal.';
