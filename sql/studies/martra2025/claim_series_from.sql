-- One row is one headline metric of a model over all its widths (one method, given conditions): how many levels are
-- better, the mean change over them, and the lines through them. The mean change's error is the mean of the levels'
-- errors: an upper bound, whatever the levels have in common, and they have the baseline and the questions. Gains and
-- losses are counted over levels, so their correction is over all of them (table_verdict). Sums have an order. A macro of the
-- changes' name, as the other parts of the claims: claim_findings_of computes the changes once, of the models it is about.
-- needs: measured_as, width_lines_from, z95
create or replace macro claim_series_from(changes_name) as table
with
change as (
    from query_table(changes_name)
),
changes as (
    select
        model_id, method, conditions, task, num_fewshot, version, metric, filter,
        any_value(model) as model,
        any_value(benchmark) as benchmark,
        any_value(kind) as kind,
        any_value(baseline) as baseline,
        any_value(baseline_stderr) as baseline_stderr,
        any_value(chance) as chance,
        count(*) as levels,
        count(stderr) = count(*) as errors_known,
        count(*) filter (improved) as better,
        count(*) filter (table_verdict = 'gain') as gains,
        count(*) filter (table_verdict = 'loss') as losses,
        count(*) filter (verdict = 'loss') as losses_alone,
        avg(gain order by pruning_pct, intermediate_size) as mean_gain,
        avg(stderr order by pruning_pct, intermediate_size) as mean_stderr,
        avg(delta_pct order by pruning_pct, intermediate_size) as mean_pct
    from change
    group by model_id, method, conditions, task, num_fewshot, version, metric, filter
),
points as (
    select
        model_id, method, 'none' as repair, conditions, task, num_fewshot, version, metric, filter, model, benchmark,
        position, kind,
        higher_is_better, pruning_pct, value,
        case when value_stderr > 0 and isfinite(value_stderr) then value_stderr end as stderr
    from change
    union all
    select distinct
        model_id, method, 'none' as repair, conditions, task, num_fewshot, version, metric, filter, model, benchmark,
        position, kind,
        higher_is_better, 0, baseline,
        case when baseline_stderr > 0 and isfinite(baseline_stderr) then baseline_stderr end
    from change
),
sums as (
    from width_lines_from('points')
)
select
    c.*,
    c.mean_gain - z95() * c.mean_stderr as mean_low,
    c.mean_gain + z95() * c.mean_stderr as mean_high,
    s.widths,
    case when s.weighted and s.sxx > 0 then s.sxy / s.sxx end as slope,
    case when s.weighted and s.sxx > 0 then 1 / sqrt(s.sxx) end as slope_stderr,
    s.line_r2,
    -- Chi squared over its degrees of freedom, against its mean and two of its standard deviations.
    case when s.weighted and s.widths > 2 and s.sxx > 0 then
        (s.syy - s.sxy ** 2 / s.sxx) / (s.widths - 2) <= 1 + 2 * sqrt(2 / (s.widths - 2))
    end as scatter_is_noise,
    s.log_slope,
    case when s.widths > 2 and s.log_sxx > 0 then
        sqrt(greatest(s.log_syy - s.log_slope ** 2 * s.log_sxx, 0) / (s.widths - 2) / s.log_sxx)
    end as log_slope_stderr,
    s.log_r2,
    measured_as(
        c.benchmark, c.num_fewshot, count(distinct coalesce(c.num_fewshot, -2)) over of_benchmark > 1,
        c.version, count(distinct coalesce(c.version, '')) over of_benchmark > 1
    ) as name
from changes c
join sums s
    on s.model_id = c.model_id and s.method = c.method and s.conditions is not distinct from c.conditions
    and s.task = c.task and s.num_fewshot is not distinct from c.num_fewshot
    and s.version is not distinct from c.version and s.metric = c.metric and s.filter = c.filter
window of_benchmark as (partition by c.model_id, c.method, c.conditions, c.task);
comment on macro table claim_series_from is 'claim_series of these rows of claim_changes, a relation by its name.';
