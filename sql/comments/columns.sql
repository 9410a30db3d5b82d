-- What a column of this name holds, in every table and view that says nothing else of it where it is made.
from (values
    (
        'adapter',
        'The adapter (LoRA or another) that was loaded over the weights; empty where none was, null where nobody '
        'knows.'
    ),
    (
        'baseline',
        'The unpruned model''s value under the same conditions, in the metric''s unit; null where it was not '
        'measured.'
    ),
    ('baseline_level', 'The unpruned width''s level in the run that measured it; null where there is no baseline.'),
    (
        'baseline_parameters',
        'Parameters of the unpruned model; null where that is not known, or there is no baseline.'
    ),
    ('baseline_run_id', 'Run that measured the baseline; null where there is none.'),
    ('baseline_seq', 'Event of that run''s journal that holds the baseline; null where there is none.'),
    ('baseline_stderr', 'Standard error of baseline, in the metric''s unit; null where none is known.'),
    ('benchmark', 'Name of the task for tables.'),
    ('benchmarks', 'How many benchmarks it is the mean of.'),
    ('broken_floors', 'The floors that the level does not hold; null if it holds them all.'),
    ('bytes', 'Size of the weights in the run''s dtype, in bytes; null where it is not known.'),
    ('chance', 'What guessing scores, in the metric''s unit; null where nothing is chosen from, or it is not known.'),
    ('ci_high', 'Upper end of the interval that ci_low begins.'),
    ('ci_high_pct', 'Upper end of the interval that ci_low_pct begins.'),
    (
        'ci_low',
        'Lower end of the 95 % interval of delta, of the test that p_value is from: not corrected for several '
        'benchmarks. Of a perplexity baseline * (factor_low - 1). Null where none can be given.'
    ),
    (
        'ci_low_pct',
        'Lower end of the 95 % interval of delta_pct, the baseline''s own error in it; null if that is not clear of '
        'zero.'
    ),
    (
        'conditions',
        'What must be equal, beside model, task, version and shots, for two scores to be compared: in words, null '
        'where nothing is known of it.'
    ),
    ('created_at', 'When the run was planned, or imported; UTC.'),
    ('delta', 'value - baseline, in the metric''s unit; null without a baseline.'),
    ('delta_pct', 'delta in percent of the baseline''s magnitude; null if that is zero, or there is none.'),
    (
        'dtype',
        'The number format of the weights, as bfloat16: what the plan''s "auto" became; null where nobody knows.'
    ),
    ('expansion_ratio', 'intermediate_size / hidden_size; null where one of them is not known.'),
    ('factor', 'value / baseline of a perplexity, which is compared on the log scale; null for other metrics.'),
    ('filter', 'lm-eval''s name of what was done to the answers before they were judged; none for nothing.'),
    (
        'footnote',
        'What was taken to be equal to other runs'' without being known, or is known to differ; null where all is '
        'known.'
    ),
    ('higher_is_better', 'Whether more of the metric is better: false of perplexities; null where that is not known.'),
    ('improved', 'Whether the delta goes the way that is better for the metric; null where that is not known.'),
    ('in_use', 'True for the rule that best_level follows.'),
    (
        'intermediate_size',
        'Width: neurons left in each layer''s MLP, exactly; null where only the percentage is known.'
    ),
    ('is_group', 'True for the aggregate of a group of tasks.'),
    ('is_headline', 'True for the one metric that stands for its benchmark at this width.'),
    ('kind', 'Of the metric: perplexity, score, or damage (the distance to the unpruned model).'),
    ('level', 'The level as asked for: 40 (percent), 2.4x (expansion ratio) or w4096 (width).'),
    ('log_stderr', 'Standard error of the natural logarithm of factor; null where there is none.'),
    (
        'measure',
        'What the rule''s weights weigh: share (percent of the unpruned score that is left), from chance (the same, '
        'counted from what guessing scores) or points (change of the score in percentage points).'
    ),
    ('method', 'What decides which neurons stay: maw, vow, pon, l2, random, or another method''s name.'),
    ('metric', 'lm-eval''s name of the metric.'),
    ('model', 'Name of the unpruned model, or the last part of its path.'),
    ('model_id', 'Equal for runs of one model: run_identities says how that is told.'),
    ('n', 'Documents that the value is computed from; null where that is not known.'),
    ('name', 'The run''s name.'),
    (
        'num_fewshot',
        'Shots: examples before each question; of a group −1 where its parts differ, null where nobody knows.'
    ),
    ('origin', 'run (ours), published (the study''s figures), study (a file in its format), lm-eval (a file of its).'),
    (
        'p_holm',
        'p_value after Holm''s correction over the headline benchmarks of the same width; null for other metrics.'
    ),
    (
        'p_table',
        'p_value after Holm''s correction over the headline benchmarks of all widths of the model, for what is said '
        'of several levels at once; null for other metrics.'
    ),
    ('p_value', 'Two-sided p value of no change, before any correction; null where no error can be given.'),
    ('parameters', 'Parameters of the model at this width, tied weights counted once; null where that is not known.'),
    ('parameters_pct', 'Parameters left, in percent of the unpruned model; null where that is not known.'),
    ('part_of', 'The group whose aggregate the task belongs to; null for a task of none.'),
    ('plan', 'The plan as the run wrote it down, as JSON.'),
    ('position', 'Place in tables, from the left; 1000 for tasks the study did not use.'),
    ('prefer', 'Which of the levels that hold every floor the rule prefers: score (the highest) or narrowest.'),
    ('pruning_pct', 'Share of the MLP neurons removed, in percent; 0 for the unpruned model.'),
    ('recorded_at', 'When it was recorded; UTC.'),
    (
        'base_conditions',
        'The conditions of the unpruned width: without the text that neurons were looked at on, which conditions name '
        'where it is another than the first.'
    ),
    (
        'calibrated_on',
        'The text that neurons were looked at on: where it is from, how much, and its hash; null where none was.'
    ),
    (
        'calibration',
        'The text that the width''s neurons were looked at on: where it is from, how much, and its hash; null where none '
        'was.'
    ),
    (
        'other_calibration',
        'The same, where it is another text than in the first run of the model, method and repair; else null.'
    ),
    (
        'repair',
        'How what was removed is made up for: none, or lsq (the rest of down_proj fitted to the unpruned output).'
    ),
    (
        'retained_pct',
        'Mean over benchmarks of the share of the unpruned score that is left, in percent; over 100 is a gain, null '
        'where no benchmark has a share to take.'
    ),
    ('rule', 'Name of the rule for the best level.'),
    ('run_id', 'The run, or import, that it is from.'),
    (
        'score',
        'Weighted mean over benchmarks of what the rule measures, in the unit given; null if none can be weighed.'
    ),
    ('score_stderr', 'Standard error of score, benchmarks taken as independent; null if one is unknown.'),
    ('seconds', 'Wall time, in seconds; null where it was not recorded.'),
    ('seq', 'Number of the event in the run''s journal: with run_id it names the event.'),
    ('stderr', 'Standard error of value, in the metric''s unit; null where none is known.'),
    (
        'stderr_kind',
        'Where stderr is from: paired; paired, clustered (the tasks of a group as clusters); bootstrap; unpaired; '
        'binomial (unpaired, from the number of questions); null if none can be given.'
    ),
    ('sweep', 'Equal for runs that were started together; null where a run was started by itself.'),
    ('suite', 'Name of the list of tasks that the plan asked for; null where it named tasks.'),
    ('table_verdict', 'gain or loss where p_table is at most 0.05, else noise; null without an error.'),
    ('task', 'lm-eval''s name of the task or group.'),
    ('unit', 'Unit of score: % or points.'),
    ('unpruned', 'True for the full width, which stands under each method.'),
    (
        'value',
        'The metric at this width, in its own unit: an accuracy is between 0 and 1; null where there is no number.'
    ),
    ('value_stderr', 'Standard error of value, in the metric''s unit; null where none is known.'),
    (
        'verdict',
        'gain or loss where p_holm is at most 0.05, else noise: of this width alone, table_verdict is for several; '
        'null without an error.'
    ),
    ('version', 'Version of the task in lm-eval; null where nobody knows.'),
    ('why', 'Why it is that level, or why there is none, in a sentence.'),
    ('worst_benchmark', 'The benchmark that keeps least of its score; null where none has a share to take.'),
    ('worst_retained_pct', 'What that benchmark keeps of its unpruned score, in percent; null where there is none.')
) as t (column_name, comment);
