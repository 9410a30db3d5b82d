-- Intervals of right-or-wrong scores, from the test that gives their p value, and perplexities on the log scale.

alter table paired_deltas add column if not exists share_low double;
alter table paired_deltas add column if not exists share_high double;
alter table paired_deltas add column if not exists share_p double;
alter table paired_deltas add column if not exists bootstrap_scale varchar;
comment on column paired_deltas.share_low is
    'Lower end of the 95 % interval of (gained - lost) / pairs, by the test that gives share_p; null unless values are 0 or 1.';
comment on column paired_deltas.share_high is 'Upper end of the same interval.';
comment on column paired_deltas.share_p is 'Two-sided p value of no difference, by the same test.';
comment on column paired_deltas.bootstrap_scale is
    'What was resampled: difference (after - before) or ln (the natural logarithm of after / before: perplexities).';
comment on column paired_deltas.bootstrap_stderr is
    'Standard deviation over bootstrap_draws resamples of the pairs of what bootstrap_scale names.';
comment on column paired_deltas.bootstrap_low is '2.5 % quantile of the same.';
comment on column paired_deltas.bootstrap_high is '97.5 % quantile of the same.';
comment on column paired_deltas.bootstrap_p is
    'Twice the smaller share of the resamples at or beyond zero, each share counted as (k + 1) / (draws + 1).';

alter table paired_methods add column if not exists share_low double;
alter table paired_methods add column if not exists share_high double;
alter table paired_methods add column if not exists share_p double;
alter table paired_methods add column if not exists bootstrap_scale varchar;

update paired_deltas set bootstrap_scale = 'difference' where bootstrap_draws is not null;
update paired_methods set bootstrap_scale = 'difference' where bootstrap_draws is not null;

-- Perplexities were resampled as differences: they are due again.
insert into pairing_due
select distinct m.model_id, r.conditions, p.task
from (
    select run_id, task from paired_deltas where estimator in ('perplexity', 'weighted perplexity')
    union
    select run_id, task from paired_methods where estimator in ('perplexity', 'weighted perplexity')
) p
join (select distinct run_id, model_id from models) m using (run_id)
join (select distinct run_id, conditions from runs) r using (run_id);
delete from paired_deltas where estimator in ('perplexity', 'weighted perplexity');
delete from paired_methods where estimator in ('perplexity', 'weighted perplexity');
