-- What columns of tables hold, where the migration that made them does not say, and the name alone does not either.
comment on column attempts.attempt is 'Which time it is that the run was taken up, from 1; null where nothing says.';
comment on column attempts.host is 'Name of the machine; null in what came in a bundle, which leaves it out.';
comment on column attempts.pid is 'The worker''s process on that machine; null in what came in a bundle.';
comment on column events.detail is 'More of it, as a traceback or JSON; null where there is none.';
comment on column events.kind is 'What happened, by the journal''s name for it, as stopped or finished.';
comment on column events.level is 'The level that it is about; null for the whole run.';
comment on column events.message is 'What happened, in a sentence, or the name that a run was given; null where the kind says it all.';
comment on column events.task is 'The task that it is about; null for the whole run.';
comment on column failures.detail is 'The traceback; null where there is none.';
comment on column failures.error is 'What went wrong, in a sentence; null where nothing was said.';
comment on column gpu_samples.sample is
    'Clocks, memory, power, temperature and load of the device at that moment, as JSON; what it does not report is missing.';
comment on column measurements.batch_size is 'Requests at a time; null where that is not known.';
comment on column measurements.max is 'Largest of the repetitions, in the unit given; null where that is not known.';
comment on column measurements.mean is 'Mean of the repetitions, in the unit given; null where that is not known.';
comment on column measurements.min is 'Smallest of the repetitions, in the unit given; null where that is not known.';
comment on column measurements.quantity is 'What was measured, as throughput or energy.';
comment on column measurements.std is
    'Standard deviation of the repetitions, in the unit given; null where that is not known.';
comment on column measurements.unit is 'Unit of mean, std, min and max.';
comment on column measurements.workload is 'What the model was doing meanwhile, by the file''s name for it.';
comment on column merged_events.kind is 'The event''s kind, by the journal''s name for it.';
comment on column merged_events.run_id is 'The run whose journal holds the event.';
comment on column metrics.value is
    'The score, in the metric''s own unit: an accuracy is between 0 and 1; null where there is no number.';
comment on column models.hidden_size is 'Width of the model between its layers; null where that is not known.';
comment on column models.intermediate_size is 'Neurons in each layer''s MLP, unpruned; null where that is not known.';
comment on column models.model_type is 'The architecture, by transformers'' name for it; null where that is not known.';
comment on column models.num_attention_heads is 'Attention heads in each layer; null where that is not known.';
comment on column models.num_hidden_layers is 'Layers of the model; null where that is not known.';
comment on column models.num_key_value_heads is
    'Heads of keys and values in each layer, which attention heads share; null where that is not known.';
comment on column models.revision is 'Commit on its hub that it was loaded at; null where it has none.';
comment on column models.source is
    'Where it was loaded from, as it was named: a hub''s name or a path; null where that is not known.';
comment on column models.tied_embeddings is
    'Whether the embedding''s weights are the last layer''s, too; null where that is not known.';
comment on column models.vocab_size is 'Tokens that the model knows; null where that is not known.';
comment on column models.weights_hash is 'Hash of the weights; null where they were not at hand.';
comment on column paired_methods.agreement is
    'Share of those pairs in which the two answers are equal; null where none is known.';
comment on column paired_methods.answers is 'Pairs in which both answers are known; null where not paired.';
comment on column paired_methods.bootstrap_draws is 'Resamples drawn, from a fixed seed; null where none were.';
comment on column paired_methods.bootstrap_high is
    '97.5 % quantile of what bootstrap_scale names; null where nothing was resampled.';
comment on column paired_methods.bootstrap_low is
    '2.5 % quantile of what bootstrap_scale names; null where nothing was resampled.';
comment on column paired_methods.bootstrap_p is
    'Two-sided p value of no difference, from the resamples; null where there are none.';
comment on column paired_methods.bootstrap_scale is
    'What was resampled: difference (second - first) or ln (logarithm of second / first); null where nothing was.';
comment on column paired_methods.bootstrap_stderr is
    'Standard deviation over the resamples; null where there are none.';
comment on column paired_methods.clustered_stderr is
    'paired_stderr with the tasks of a group taken as clusters; null for a task.';
comment on column paired_methods.estimator is
    'How the documents'' values make the metric, as in paired_deltas; null where not paired.';
comment on column paired_methods.gained is
    'Documents wrong with the first method and right with the second; null unless values are 0 or 1.';
comment on column paired_methods.lost is
    'Documents right with the first method and wrong with the second; null unless values are 0 or 1.';
comment on column paired_methods.mcnemar_p is
    'McNemar''s exact test, two-sided, on lost and gained; null where they are.';
comment on column paired_methods.paired_stderr is
    'Standard error of the mean of the documents'' differences; null where not paired, or the metric is no mean.';
comment on column paired_methods.pairs is 'Documents that both widths were scored on; null where not paired.';
comment on column paired_methods.parts is 'Tasks that a group''s aggregate is made of; null for a task.';
comment on column paired_methods.share_high is
    'Upper end of the 95 % interval of (gained - lost) / pairs; null unless values are 0 or 1.';
comment on column paired_methods.share_low is
    'Lower end of the 95 % interval of (gained - lost) / pairs; null unless values are 0 or 1.';
comment on column paired_methods.share_p is
    'Two-sided p value of no difference, by the test of that interval; null unless values are 0 or 1.';
comment on column rule_choices.chosen_at is 'When the rule was chosen; UTC.';
comment on column rule_floors.at_least is 'What the measure must not be below, in its unit; null for no such limit.';
comment on column rule_floors.at_most is 'What the measure must not be above, in its unit; null for no such limit.';
comment on column rule_floors.version is 'Version of the rule, from 1.';
comment on column rule_weights.version is 'Version of the rule, from 1.';
comment on column rules.description is 'What the rule is for, in a sentence.';
comment on column rules.saved_at is 'When this version of the rule was saved; UTC.';
comment on column rules.version is 'Version of the rule, from 1: the largest counts.';
comment on column run_identities.run_id is 'The run, or import, that is told from others.';
comment on column runs.method is
    'What decides which neurons stay: maw, vow, pon, l2, random, or another method''s name; null where nothing says.';
comment on column runs.suite is 'Name of the list of tasks that the plan asked for; null where it named tasks.';
comment on column samples.doc_id is 'Number of the document in its task''s split, from 0.';
comment on column samples.filter is
    'lm-eval''s name of what was done to the answer before it was judged; none for nothing.';
comment on column stages.level is 'The level that it was for; null for the whole run.';
comment on column stages.stage is 'Part of the run''s work, as loading the model or building the tasks.';
comment on column tasks.dataset is 'Name of the data set, on its hub or as a path; null where that is not known.';
comment on column tasks.dataset_fingerprint is
    'Fingerprint of the data set''s content, by the datasets library; null where that is not known.';
comment on column tasks.n_docs is 'Documents that were asked; null where that is not known.';
comment on column tasks.n_requests is
    'Requests that they became, one for each choice of a multiple-choice question; null where that is not known.';
comment on column tasks.output_type is
    'What lm-eval asks of the model: multiple_choice, loglikelihood, loglikelihood_rolling or generate_until; null where that is not known.';
