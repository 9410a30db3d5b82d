-- One row is two sizes of one family, pruned with the same method and measured under the same conditions. A family is a
-- name that differs in the size only (Llama-3.2-1B, Llama-3.2-3B); the larger has a fifth more parameters or more.
-- needs: headline_metrics
create or replace macro claim_pairs_of(models) as table
with sizes as (
    select
        model_id, method, conditions,
        any_value(model) as model,
        max(parameters) as parameters,
        regexp_replace(lower(any_value(model)), '[0-9]+([.][0-9]+)?[bm]\b', '*') as family
    from headline_metrics
    where unpruned and repair = 'none' and (models is null or list_contains(models, model_id))
    group by model_id, method, conditions
)
select
    s.family, s.method, s.conditions,
    s.model_id as smaller_id, s.model as smaller, s.parameters as smaller_parameters,
    l.model_id as larger_id, l.model as larger, l.parameters as larger_parameters
from sizes s
join sizes l
    on l.family = s.family and l.method = s.method and l.conditions is not distinct from s.conditions
    and l.parameters >= 1.2 * s.parameters;
comment on macro table claim_pairs_of is
    'claim_pairs of these models (a list of model_id) alone; null for all.';
