-- What a measurement is of, in columns; null is unknown.

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
comment on column runs.documents is 'all, or the limit as lm-eval takes it: 100, 0.1.';
comment on column runs.seeds is 'Four numbers as lm-eval has them: random, numpy, torch, few-shot.';
comment on column runs.chat_template is 'Whether prompts were put into a chat template.';
comment on column runs.chat_template_hash is 'sha256 of the template''s text; empty where none was applied.';
comment on column runs.system_prompt is 'Empty where there was none.';
comment on column runs.fewshot_as_multiturn is 'Whether shots were turns of a conversation.';
comment on column runs.generation is 'Canonical JSON of settings that override the tasks'' own; empty where there were none.';
comment on column runs.quantization is 'Empty where there was none.';
comment on column runs.adapter is 'Adapter or delta weights; empty where there were none.';
comment on column runs.model_args is 'Other arguments of the model that change scores.';
comment on column runs.published is 'Figures of a paper, which are not compared with measured ones.';
comment on column runs.repair is 'none, or how pruned weights were mended.';
comment on column runs.calibration is 'What a method was calibrated on; empty where it was not.';

alter table models add column config_hash varchar;
alter table models add column tokenizer_hash varchar;
alter table models add column tuned boolean;
comment on column models.config_hash is 'Of what in config.json changes the function.';
comment on column models.tokenizer_hash is 'Of how texts become tokens.';
comment on column models.tuned is 'Tuned for instructions or chat; null where that is not known.';

alter table tasks add column questions_hash varchar;
alter table tasks add column tokens_hash varchar;
comment on column tasks.questions_hash is 'Of the texts that are asked, alike for own runs and imports.';
comment on column tasks.tokens_hash is 'Of the token ids of every request.';

alter table cells add column questions_hash varchar;
alter table cells add column tokens_hash varchar;
alter table cells add column harness_version varchar;
comment on column cells.questions_hash is 'As in tasks; a group''s combines its parts''.';
comment on column cells.tokens_hash is 'As in tasks; a group''s combines its parts''.';
comment on column cells.harness_version is 'Of lm-eval.';
