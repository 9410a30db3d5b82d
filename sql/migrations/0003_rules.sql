-- Rules by which a level is called best. Unlike the facts they are the user's to change. A change is a new version:
-- the largest one counts, and the older ones stay readable. A rule is deleted by a version that says so.

create table rules (
    rule varchar not null,
    version integer not null,
    saved_at timestamp not null,
    description varchar not null,
    prefer varchar not null,
    measure varchar not null,
    preset boolean not null,
    removed boolean not null
);
comment on table rules is 'One row per version of a rule for the best level; the largest version counts.';
comment on column rules.prefer is 'Which of the levels that hold every floor: score (the highest) or narrowest.';
comment on column rules.measure is
    'What the weights weigh: share (percent of the unpruned score that is left, over 100 a gain), from chance (the same, '
    'counted from what guessing scores) or points (change of the score in percentage points).';
comment on column rules.preset is 'True for what ships with the program.';
comment on column rules.removed is 'True for a version that deletes the rule.';

create table rule_weights (
    rule varchar not null,
    version integer not null,
    benchmark varchar not null,
    weight double not null
);
comment on table rule_weights is 'One row per benchmark, or group of them, that a version of a rule weighs.';
comment on column rule_weights.benchmark is
    'lm-eval''s name of the task, or scores, perplexities or * (all) for each benchmark that is not named.';
comment on column rule_weights.weight is 'At least 0. The score is the weighted mean.';

create table rule_floors (
    rule varchar not null,
    version integer not null,
    benchmark varchar not null,
    measure varchar not null,
    at_least double,
    at_most double
);
comment on table rule_floors is 'One row per condition that a level must meet under a version of a rule.';
comment on column rule_floors.benchmark is 'As in rule_weights; of a group, each benchmark must meet it.';
comment on column rule_floors.measure is
    'share or from chance (percent left), value (of the metric) or growth (value / unpruned value).';

create table rule_choices (
    number integer not null,
    rule varchar not null,
    chosen_at timestamp not null
);
comment on table rule_choices is 'One row each time a rule was made the one that best_level follows.';
comment on column rule_choices.number is 'Counts up: the largest counts.';

insert into rules values
    (
        'keeps-most', 1, timestamp '2025-12-01 00:00:00',
        'The level that keeps most: the highest mean, over all benchmarks, of the share of the unpruned score that is '
        'left. It says nothing of what a saved parameter is worth.',
        'score', 'share', true, false
    ),
    (
        'study', 1, timestamp '2025-12-01 00:00:00',
        'How we read the study''s "Optimal Pruning Configuration" (40 % for Llama-3.2-1B, 10 % for 3B). It states no '
        'formula; it argues with four numbers for each level it recommends: the MMLU that is maintained (~87 %, ~77 %) and '
        'the changes of IFEval, MuSR and TruthfulQA-MC2. So: the highest mean change in points of these four, among '
        'the levels that keep 75 % of MMLU. The 75 % is ours: 10 % of the 3B keeps 77 % and is called acceptable, 20 % '
        'keeps 52 % and is not.',
        'score', 'points', true, false
    ),
    (
        'narrowest', 1, timestamp '2025-12-01 00:00:00',
        'The smallest model that still works: the narrowest level at which every score keeps at least 75 % of its distance '
        'from guessing and no perplexity more than doubles.',
        'narrowest', 'from chance', true, false
    );
insert into rule_weights values
    ('keeps-most', 1, '*', 1),
    ('study', 1, 'mmlu', 1),
    ('study', 1, 'ifeval', 1),
    ('study', 1, 'leaderboard_musr', 1),
    ('study', 1, 'truthfulqa_mc2', 1),
    ('narrowest', 1, 'scores', 1);
insert into rule_floors values
    ('study', 1, 'mmlu', 'share', 75, null),
    ('narrowest', 1, 'scores', 'from chance', 75, null),
    ('narrowest', 1, 'perplexities', 'growth', null, 2);
insert into rule_choices values (1, 'keeps-most', timestamp '2025-12-01 00:00:00');
