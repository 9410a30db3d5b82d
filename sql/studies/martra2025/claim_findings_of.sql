-- One row is one claim of the study tested on one model, or on two sizes of one family: the verdict and the numbers for
-- it. A macro with models to choose: DuckDB computes all models' rows before it filters such a view.
-- needs: claim_changes, claim_list, claim_pairs_of, claim_series_from, model_claims_from, pair_claims_from
-- needs: rule_levels
create or replace macro claim_findings_of(models) as table
with
chosen_changes as materialized (
    from claim_changes where models is null or list_contains(models, model_id)
),
chosen_series as materialized (
    from claim_series_from('chosen_changes')
),
chosen_pairs as materialized (
    from claim_pairs_of(models)
),
chosen_levels as materialized (
    from rule_levels where rule = 'study' and repair = 'none' and (models is null or list_contains(models, model_id))
),
findings as (
    from model_claims_from('chosen_changes', 'chosen_series')
    union all by name
    from pair_claims_from('chosen_changes', 'chosen_pairs', 'chosen_levels')
)
select
    f.claim, c.title, f.model, f.larger, f.method, f.verdict, f.says, f.missing, f.conditions, f.model_id, f.larger_id
from findings f
join claim_list c using (claim);
comment on macro table claim_findings_of is
    'claim_findings of these models (a list of model_id) alone; null for all.';
