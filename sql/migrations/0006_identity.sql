-- What a measurement is of, in columns: until now a sentence (runs.conditions) said what had to be equal for two scores
-- to be compared, and left out the questions, the configuration, the tokenizer, adapters and much else. Null is unknown.
-- Rows from before are filled in from their plans and sentences by the program, right after this step.

alter table runs add column documents varchar;
alter table runs add column seeds varchar;
alter table runs add column chat_template boolean;
alter table runs add column chat_template_hash varchar;
alter table runs add column system_prompt varchar;
alter table runs add column fewshot_as_multiturn boolean;
alter table runs add column generation varchar;
alter table runs add column quantization varchar;
alter table runs add column adapter varchar;
alter table runs add column model_args varchar;
alter table runs add column published boolean;
alter table runs add column repair varchar;
alter table runs add column calibration varchar;
comment on column runs.conditions is
    'The columns from dtype to model_args in a sentence, for people, as the program that recorded the run made it.';
comment on column runs.documents is 'all, or the limit that was set: a number of documents a task, or a share of them below 1.';
comment on column runs.seeds is
    'What lm-eval seeds random, numpy, torch and the choice of few-shot examples with; its default is 0,1234,1234,1234.';
comment on column runs.chat_template is 'Whether prompts went through the tokenizer''s chat template.';
comment on column runs.chat_template_hash is 'SHA-256 of that template''s text.';
comment on column runs.system_prompt is 'The system instruction; empty where there was none.';
comment on column runs.fewshot_as_multiturn is 'Whether few-shot examples were turns of a conversation.';
comment on column runs.generation is 'Generation settings that replaced the tasks'' own, as JSON; empty where none did.';
comment on column runs.quantization is 'How the weights were quantised when they were loaded; empty where they were not.';
comment on column runs.adapter is 'The adapter (LoRA or another) that was loaded over the weights; empty where none was.';
comment on column runs.model_args is 'Other arguments of lm-eval''s model that change scores; empty where there were none.';
comment on column runs.published is 'True for figures of a paper: they are never compared with measured ones.';
comment on column runs.repair is 'How pruned layers were repaired: none for not at all.';
comment on column runs.calibration is 'The text that an order or a repair was calibrated with; empty where none was needed.';

alter table models add column config_hash varchar;
alter table models add column tokenizer_hash varchar;
alter table models add column tuned boolean;
comment on column models.config_hash is 'Hash of what config.json says that changes the function.';
comment on column models.tokenizer_hash is 'Hash of the tokenizer, whatever files it came in.';
comment on column models.tuned is 'Whether the model was tuned to follow instructions; null where nothing says.';

alter table tasks add column questions_hash varchar;
alter table tasks add column tokens_hash varchar;
comment on column tasks.questions_hash is 'Hash of the text of what was asked, the same for our runs and for imported samples.';
comment on column tasks.tokens_hash is 'Hash of the tokens that the model was asked with.';
comment on column tasks.requests_hash is
    'Hash of every request as this version of the program made it: comparable among our own runs, or among imports.';

alter table cells add column questions_hash varchar;
alter table cells add column tokens_hash varchar;
alter table cells add column harness_version varchar;
comment on column cells.questions_hash is 'As in tasks; of a group, of all its parts'' together.';
comment on column cells.tokens_hash is 'As in tasks; of a group, of all its parts'' together.';
comment on column cells.harness_version is 'lm-eval''s version that scored the cell.';

-- Derived from runs, models, tasks, cells and metrics, and made anew for a model whenever something of it is merged:
-- column by column equal columns make one group, and an unknown one joins the only group that it fits.

create table run_identities (
    run_id varchar not null,
    model_id varchar not null,
    conditions varchar,
    footnote varchar
);
comment on table run_identities is 'Derived: which model a run is of, and under which conditions it was measured.';
comment on column run_identities.model_id is
    'Equal for runs of one model: name, weights, configuration and tokenizer, where known.';
comment on column run_identities.conditions is
    'Equal for runs that were measured alike, column by column; made of what is known, in words.';
comment on column run_identities.footnote is 'What was taken to be equal without being known; null where all is known.';

create table task_identities (
    run_id varchar not null,
    task varchar not null,
    recorded_shots integer,
    recorded_version varchar,
    num_fewshot integer,
    version varchar,
    conditions varchar,
    footnote varchar
);
comment on table task_identities is
    'Derived: a run''s tasks whose shots, version or conditions are others than its events say by themselves.';
comment on column task_identities.recorded_shots is 'num_fewshot as in metrics.';
comment on column task_identities.recorded_version is 'version as in metrics.';
comment on column task_identities.num_fewshot is 'Shots: of a group, those of its parts, −1 where they differ.';
comment on column task_identities.version is 'Version of the task: of results that do not say, the only one that fits.';
comment on column task_identities.conditions is
    'The run''s conditions, and that the questions are others where they are.';
comment on column task_identities.footnote is 'What was taken to be equal without being known, or is known to differ.';

create table task_versions (
    task varchar not null,
    version varchar not null
);
comment on table task_versions is
    'Derived: tasks that were measured in one version only, which results that do not say theirs are taken to be of.';
comment on column task_versions.task is 'As in cells.';
comment on column task_versions.version is 'As in cells.';
