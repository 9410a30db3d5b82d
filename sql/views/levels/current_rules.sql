-- One row is one rule for the best level, as it stands now: its latest version, unless that deletes it.
create or replace view current_rules as
with latest as (
    select * from rules
    qualify row_number() over (partition by rule order by version desc) = 1
),
-- What was chosen last counts, if it is still there; else the rule that files begin with.
chosen as (
    select arg_max(c.rule, c.number) as rule
    from rule_choices c
    join latest l on l.rule = c.rule and not l.removed
)
select
    l.rule,
    l.rule is not distinct from coalesce((select rule from chosen), 'keeps-most') as in_use,
    l.prefer,
    l.measure,
    (
        select list({benchmark: w.benchmark, weight: w.weight} order by w.benchmark)
        from rule_weights w where w.rule = l.rule and w.version = l.version
    ) as weights,
    (
        select list(
            {benchmark: f.benchmark, measure: f.measure, at_least: f.at_least, at_most: f.at_most}
            order by f.benchmark, f.measure
        )
        from rule_floors f where f.rule = l.rule and f.version = l.version
    ) as floors,
    l.description,
    l.preset,
    l.version,
    l.saved_at
from latest l
where not l.removed;
comment on view current_rules is 'One row is one rule for the best level, as it stands now.';
comment on column current_rules.description is 'What the rule is for, in a sentence.';
comment on column current_rules.weights is
    'Benchmarks and their weights, a list: the score is their weighted mean; null for a rule without.';
comment on column current_rules.floors is
    'What a level must hold, a list: benchmark, measure, at_least and at_most, null for no such limit; null for a rule '
    'without.';
comment on column current_rules.preset is 'True for what ships with the program.';
comment on column current_rules.version is 'Version of the rule, from 1.';
comment on column current_rules.saved_at is 'When this version of the rule was saved; UTC.';
