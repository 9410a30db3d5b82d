-- One row is one width of a model, the full one included, in one scope: among the widths of its model, or among all
-- models'. Quality is the mean of its benchmarks' scores (perplexities left out; of one benchmark with several numbers of
-- shots, or versions, their mean); only widths that were measured under the same conditions on exactly the same
-- benchmarks are compared. A width is dominated where another has at least its quality with no more parameters, and is
-- better in one of the two. Sums have an order, or their last digit would change. A macro with models to choose, as size_tests.
-- needs: headline_metrics
create or replace macro pareto_front_of(models) as table
with
scores as (
    select
        model_id, method, repair, conditions, pruning_pct, intermediate_size, task,
        any_value(model) as model,
        any_value(expansion_ratio) as expansion_ratio,
        any_value(parameters) as parameters,
        avg(value order by num_fewshot, version, metric, filter) as value,
        -- An upper bound: the questions are the same.
        case when count(stderr) = count(*) then avg(stderr order by num_fewshot, version, metric, filter) end as stderr,
        list((metric, filter, num_fewshot, version) order by metric, filter, num_fewshot, version) as measured
    from headline_metrics
    where kind = 'score' and higher_is_better and isfinite(value) and parameters is not null
        and (models is null or list_contains(models, model_id))
    group by model_id, method, repair, conditions, pruning_pct, intermediate_size, task
),
points as materialized (
    select
        model_id, method, repair, conditions, pruning_pct, intermediate_size,
        any_value(model) as model,
        any_value(expansion_ratio) as expansion_ratio,
        any_value(parameters) as parameters,
        avg(value order by task) as quality,
        case when count(stderr) = count(*) then sqrt(sum(stderr * stderr order by task)) / count(*) end as quality_stderr,
        count(*) as benchmarks,
        list((task, measured) order by task) as measured
    from scores
    group by model_id, method, repair, conditions, pruning_pct, intermediate_size
),
scoped as (
    select 'one model' as scope, model_id || '|' || method || '|' || repair as pool, * from points
    union all
    select 'all models', '', * from points
),
dominations as (
    select
        p.scope, p.pool, p.model_id, p.method, p.repair, p.conditions, p.pruning_pct, p.intermediate_size,
        arg_max(o, (o.quality, -o.parameters, o.model, o.model_id, o.method, o.repair, o.pruning_pct)) as by_
    from scoped p
    join scoped o
        on o.scope = p.scope
        and o.pool = p.pool
        and o.conditions is not distinct from p.conditions
        and o.measured = p.measured
        and o.quality >= p.quality
        and o.parameters <= p.parameters
        and (o.quality > p.quality or o.parameters < p.parameters)
    group by p.scope, p.pool, p.model_id, p.method, p.repair, p.conditions, p.pruning_pct, p.intermediate_size
)
select
    p.scope,
    p.model,
    p.method,
    p.repair,
    p.pruning_pct,
    p.parameters,
    p.quality,
    p.quality_stderr,
    d.by_ is null as on_front,
    d.by_.model as dominated_by,
    d.by_.method as dominated_by_method,
    d.by_.repair as dominated_by_repair,
    d.by_.pruning_pct as dominated_by_pct,
    p.benchmarks,
    p.intermediate_size,
    p.expansion_ratio,
    p.conditions,
    p.model_id
from scoped p
left join dominations d
    on d.scope = p.scope and d.pool = p.pool and d.model_id = p.model_id and d.method = p.method and d.repair = p.repair
    and d.conditions is not distinct from p.conditions and d.pruning_pct = p.pruning_pct
    and d.intermediate_size is not distinct from p.intermediate_size;
comment on macro table pareto_front_of is
    'pareto_front of these models (a list of model_id) alone; null for all.';
create or replace view pareto_front as from pareto_front_of(null::varchar[]);
comment on view pareto_front is 'One row is one width of a model: on the front of quality against parameters, or dominated.';
comment on column pareto_front.scope is 'Whom it is compared with: the widths of one model, or of all models.';
comment on column pareto_front.quality is 'Mean of the benchmarks'' headline scores, perplexities left out.';
comment on column pareto_front.quality_stderr is 'Its standard error, benchmarks taken as independent; null if one is unknown.';
comment on column pareto_front.dominated_by is 'The model of the best width that is no larger and no worse; null on the front.';
comment on column pareto_front.on_front is
    'True where no width has at least its quality with no more parameters, and is better in one of the two.';
comment on column pareto_front.dominated_by_method is 'The method of that width; null on the front.';
comment on column pareto_front.dominated_by_repair is 'The repair of that width; null on the front.';
comment on column pareto_front.dominated_by_pct is 'pruning_pct of that width; null on the front.';
comment on column pareto_front.benchmarks is 'Benchmarks that quality is the mean of.';
