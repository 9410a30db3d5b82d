-- Whether a model was tuned to follow instructions: as recorded, else by its name, as hubs have it.
create or replace macro is_tuned(tuned, model) as
    coalesce(tuned, regexp_matches(lower(model), '(^|[^a-z])(instruct|chat|it|sft|dpo|assistant|zephyr|vicuna|alpaca)([^a-z]|$)'));
comment on macro is_tuned is 'Whether a model was tuned to follow instructions: as recorded, else by its name.';
