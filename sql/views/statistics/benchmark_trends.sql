-- One row is one benchmark of a model over all its widths, the full one included (one method, given conditions): which
-- way it goes, how steeply, and from which level on the loss is beyond noise, corrected over all benchmarks and levels of
-- the model (table_verdict), as it is the first of several. Two widths differ beyond noise
-- where Bonferroni's correction over all pairs of widths leaves p at or below 0.05, their errors taken as independent.
-- needs: delta_statistics, difference_stderr, headline_metrics, is_perplexity, normal_p, width_lines_from
create or replace view benchmark_trends as
with
points as materialized (
    select
        model_id, method, repair, conditions, task, num_fewshot, version, metric, filter, model, benchmark, position, kind,
        higher_is_better, pruning_pct, unpruned, value,
        case when stderr > 0 and isfinite(stderr) then stderr end as stderr,
        case when higher_is_better then 1 when higher_is_better = false then -1 end as direction
    from headline_metrics
    where isfinite(value)
),
fitted as (
    from width_lines_from('points')
),
differences as (
    select
        a.model_id, a.method, a.repair, a.conditions, a.task, a.num_fewshot, a.version, a.metric, a.filter,
        a.direction * (b.value - a.value) as gain,
        case
            when is_perplexity(a.metric) and a.value > 0 and b.value > 0 then
                normal_p(ln(b.value / a.value) / sqrt((a.stderr / a.value) ** 2 + (b.stderr / b.value) ** 2))
            else normal_p((b.value - a.value) / difference_stderr(a.stderr, b.stderr))
        end as p,
        row_number() over (partition by
            a.model_id, a.method, a.repair, a.conditions, a.task, a.num_fewshot, a.version, a.metric, a.filter, a.pruning_pct
            order by b.pruning_pct
        ) = 1 as adjacent
    from points a
    join points b
        on a.model_id = b.model_id
        and a.method = b.method and a.repair = b.repair
        and a.conditions is not distinct from b.conditions
        and a.task = b.task
        and a.num_fewshot is not distinct from b.num_fewshot
        and a.version is not distinct from b.version
        and a.metric = b.metric
        and a.filter = b.filter
        and a.pruning_pct < b.pruning_pct
),
steps as (
    select
        model_id, method, repair, conditions, task, num_fewshot, version, metric, filter,
        case
            when bool_and(gain = 0) filter (adjacent) then 'constant'
            when bool_and(gain <= 0) filter (adjacent) then 'worsens'
            when bool_and(gain >= 0) filter (adjacent) then 'improves'
            when count(gain) > 0 then 'mixed'
        end as trend,
        count(*) as compared,
        count(p) = count(*) as testable,
        bool_or(gain < 0 and p * compared_pairs <= 0.05) as falls,
        bool_or(gain > 0 and p * compared_pairs <= 0.05) as rises
    from (
        select *, count(*) over (
            partition by model_id, method, repair, conditions, task, num_fewshot, version, metric, filter
        ) as compared_pairs
        from differences
    )
    group by model_id, method, repair, conditions, task, num_fewshot, version, metric, filter
),
drops as (
    select
        model_id, method, repair, conditions, task, num_fewshot, version, metric, filter,
        min(pruning_pct) filter (table_verdict = 'loss') as drops_at_pct,
        min(pruning_pct) filter (table_verdict = 'gain') as gains_at_pct,
        count(table_verdict) as tested
    from delta_statistics
    where is_headline
    group by model_id, method, repair, conditions, task, num_fewshot, version, metric, filter
)
select
    f.model,
    f.method,
    f.repair,
    f.benchmark,
    f.metric,
    f.widths,
    s.trend,
    s.trend in ('worsens', 'improves', 'constant') as monotonic,
    case
        when not s.testable or f.higher_is_better is null then null
        when s.falls and s.rises then 'mixed'
        when s.falls then 'worsens'
        when s.rises then 'improves'
        else 'noise'
    end as trend_beyond_noise,
    case when f.distinct_x > 1 then f.sxy / f.sxx end as slope_per_10pct,
    case
        when f.distinct_x < 2 then null
        when f.weighted then
            sqrt(1 / f.sxx)
            * sqrt(greatest(1, case when f.widths > 2 then (f.syy - f.sxy * f.sxy / f.sxx) / (f.widths - 2) else 1 end))
        when f.widths > 2 then sqrt(greatest(f.syy - f.sxy * f.sxy / f.sxx, 0) / (f.widths - 2) / f.sxx)
    end as slope_stderr,
    f.weighted,
    d.drops_at_pct,
    d.gains_at_pct,
    coalesce(d.tested, 0) as levels_tested,
    exp(f.log_slope) as growth_per_10pct,
    case when f.log_n > 2 then
        sqrt(greatest(f.log_syy - f.log_slope * f.log_slope * f.log_sxx, 0) / (f.log_n - 2) / f.log_sxx)
    end as log_growth_stderr,
    f.log_r2 as growth_r2,
    f.task,
    f.filter,
    f.num_fewshot,
    f.version,
    f.higher_is_better,
    f.kind,
    f.position,
    f.conditions,
    f.model_id
from fitted f
left join steps s
    on s.model_id = f.model_id and s.method = f.method and s.repair = f.repair and s.conditions is not distinct from f.conditions
    and s.task = f.task and s.num_fewshot is not distinct from f.num_fewshot
    and s.version is not distinct from f.version and s.metric = f.metric and s.filter = f.filter
left join drops d
    on d.model_id = f.model_id and d.method = f.method and d.repair = f.repair and d.conditions is not distinct from f.conditions
    and d.task = f.task and d.num_fewshot is not distinct from f.num_fewshot
    and d.version is not distinct from f.version and d.metric = f.metric and d.filter = f.filter;
comment on view benchmark_trends is 'One row is one benchmark of a model over all its widths: direction, slope and first clear loss.';
comment on column benchmark_trends.trend is
    'worsens or improves where no step from a width to the next goes the other way; mixed; constant.';
comment on column benchmark_trends.trend_beyond_noise is
    'The same, of the pairs of widths that differ beyond noise; noise if none does, null where an error is unknown.';
comment on column benchmark_trends.slope_per_10pct is
    'Slope of a line through all widths, in the metric''s units for each 10 % of neurons removed.';
comment on column benchmark_trends.slope_stderr is
    'Its standard error: from the values'' errors, larger where the points lie farther off the line; else from residuals.';
comment on column benchmark_trends.weighted is 'Whether the line is weighted by the values'' errors: all are known.';
comment on column benchmark_trends.drops_at_pct is 
    'The lowest level with a loss beyond noise, Holm''s correction being over all benchmarks and levels; null if none has.';
comment on column benchmark_trends.gains_at_pct is 'The lowest level with a gain beyond noise, in the same way.';
comment on column benchmark_trends.levels_tested is 'Levels with a verdict: without any, drops_at_pct says nothing.';
comment on column benchmark_trends.growth_per_10pct is
    'Factor by which a perplexity grows for each 10 %, fitted on a log scale.';
comment on column benchmark_trends.log_growth_stderr is 'Standard error of the natural logarithm of growth_per_10pct.';
comment on column benchmark_trends.growth_r2 is 'Share of the log perplexity''s variance that the fit explains.';
comment on column benchmark_trends.widths is 'Widths that the line goes through, the full one included.';
comment on column benchmark_trends.monotonic is
    'Whether no step from a width to the next goes against the others: trend is worsens, improves or constant.';
