-- One row is the latest value of one metric of one task at one width of a model, as metric_values tells it.
-- needs: metric_values
create or replace view current_metrics as
select * exclude (by_run)
from metric_values;
comment on view current_metrics is
    'One row is the latest value of one metric of one task at one width of a model, under given conditions.';
comment on column current_metrics.unpruned is 'True for the full width, which stands under each method.';
comment on column current_metrics.run_id is 'The run that measured it; with seq, the event in its journal.';
comment on column current_metrics.benchmark is 'Name of the task for tables.';
comment on column current_metrics.position is 'Place in tables, from the left; 1000 for tasks the study did not use.';
comment on column current_metrics.kind is 'Of the metric: perplexity or score.';
comment on column current_metrics.footnote is
    'What was taken to be equal to other runs'' without being known, or is known to differ; null where all is known.';
