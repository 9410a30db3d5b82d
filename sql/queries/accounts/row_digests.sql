-- A digest of each row that an event brought: of its columns as text, with their names; numbers with a point by their bits.
-- What is null is left out, and a repair that is none, so that a column which a later step adds changes no digest of rows
-- from before: it goes to the end of its table's. The event's number (seq) is not part of it: `continuity` moves events. MD5
-- stays what it is from one version of DuckDB to the next, `hash` does not.
select run_id, seq, md5_number_lower(concat_ws(chr(31),
    'recorded_at=' || epoch_us(recorded_at), 'name=' || name, 'origin=' || origin, 'method=' || method,
    'suite=' || suite, 'conditions=' || conditions, 'dtype=' || dtype, 'plan=' || plan,
    'documents=' || documents, 'seeds=' || seeds, 'chat_template=' || chat_template,
    'chat_template_hash=' || chat_template_hash, 'system_prompt=' || system_prompt,
    'fewshot_as_multiturn=' || fewshot_as_multiturn, 'generation=' || generation,
    'quantization=' || quantization, 'adapter=' || adapter, 'model_args=' || model_args,
    'published=' || published, 'repair=' || repair, 'calibration=' || calibration,
    'sweep=' || sweep
)) as digest from runs
union all
select run_id, seq, md5_number_lower(concat_ws(chr(31),
    'recorded_at=' || epoch_us(recorded_at), 'attempt=' || attempt, 'pid=' || pid, 'host=' || host,
    'provenance=' || provenance
)) as digest from attempts
union all
select run_id, seq, md5_number_lower(concat_ws(chr(31),
    'recorded_at=' || epoch_us(recorded_at), 'model_id=' || model_id, 'model=' || model, 'source=' || source,
    'revision=' || revision, 'weights_hash=' || weights_hash, 'model_type=' || model_type,
    'hidden_size=' || hidden_size, 'intermediate_size=' || intermediate_size,
    'num_hidden_layers=' || num_hidden_layers, 'num_attention_heads=' || num_attention_heads,
    'num_key_value_heads=' || num_key_value_heads, 'vocab_size=' || vocab_size,
    'tied_embeddings=' || tied_embeddings, 'parameters=' || parameters, 'bytes=' || bytes,
    'config_hash=' || config_hash, 'tokenizer_hash=' || tokenizer_hash, 'tuned=' || tuned
)) as digest from models
union all
select run_id, seq, md5_number_lower(concat_ws(chr(31),
    'recorded_at=' || epoch_us(recorded_at), 'level=' || level, 'method=' || method,
    'pruning_pct=' || pruning_pct::bit::bigint, 'intermediate_size=' || intermediate_size,
    'padded_size=' || padded_size, 'expansion_ratio=' || expansion_ratio::bit::bigint,
    'parameters=' || parameters, 'bytes=' || bytes, 'repair=' || nullif(repair, 'none')
)) as digest from variants
union all
select run_id, seq, md5_number_lower(concat_ws(chr(31),
    'recorded_at=' || epoch_us(recorded_at), 'source=' || source, 'tokens=' || tokens, 'length=' || length,
    'seed=' || seed, 'hash=' || hash, 'path=' || path
)) as digest from calibrations
union all
select run_id, seq, md5_number_lower(concat_ws(chr(31),
    'recorded_at=' || epoch_us(recorded_at), 'task=' || task, 'part_of=' || part_of, 'version=' || version,
    'output_type=' || output_type, 'num_fewshot=' || num_fewshot, 'n_docs=' || n_docs,
    'n_requests=' || n_requests, 'dataset=' || dataset, 'dataset_fingerprint=' || dataset_fingerprint,
    'requests_hash=' || requests_hash, 'questions_hash=' || questions_hash, 'tokens_hash=' || tokens_hash
)) as digest from tasks
union all
select run_id, seq, md5_number_lower(concat_ws(chr(31),
    'recorded_at=' || epoch_us(recorded_at), 'stage=' || stage, 'level=' || level,
    'seconds=' || seconds::bit::bigint
)) as digest from stages
union all
select run_id, seq, md5_number_lower(concat_ws(chr(31),
    'recorded_at=' || epoch_us(recorded_at), 'level=' || level, 'task=' || task, 'part_of=' || part_of,
    'is_group=' || is_group, 'version=' || version, 'num_fewshot=' || num_fewshot,
    'seconds=' || seconds::bit::bigint, 'samples=' || samples, 'questions_hash=' || questions_hash,
    'tokens_hash=' || tokens_hash, 'harness_version=' || harness_version
)) as digest from cells
union all
select run_id, seq, md5_number_lower(concat_ws(chr(31),
    'recorded_at=' || epoch_us(recorded_at), 'level=' || level, 'task=' || task, 'part_of=' || part_of,
    'is_group=' || is_group, 'version=' || version, 'num_fewshot=' || num_fewshot, 'metric=' || metric,
    'filter=' || filter, 'value=' || value::bit::bigint, 'stderr=' || stderr::bit::bigint, 'n=' || n,
    'higher_is_better=' || higher_is_better, 'chance=' || chance::bit::bigint
)) as digest from metrics
union all
select run_id, seq, md5_number_lower(concat_ws(chr(31),
    'recorded_at=' || epoch_us(recorded_at), 'level=' || level, 'task=' || task, 'error=' || error,
    'detail=' || detail
)) as digest from failures
union all
select run_id, seq, md5_number_lower(concat_ws(chr(31),
    'recorded_at=' || epoch_us(recorded_at), 'level=' || level, 'workload=' || workload,
    'batch_size=' || batch_size, 'quantity=' || quantity, 'unit=' || unit, 'mean=' || mean::bit::bigint,
    'std=' || std::bit::bigint, 'min=' || "min"::bit::bigint, 'max=' || "max"::bit::bigint, 'n=' || n,
    'round=' || round, 'phase=' || phase, 'engine=' || engine, 'mode=' || mode, 'width=' || width,
    'padded_size=' || padded_size, 'prompt_tokens=' || prompt_tokens, 'new_tokens=' || new_tokens,
    'p50=' || p50::bit::bigint, 'p90=' || p90::bit::bigint, 'p99=' || p99::bit::bigint,
    'half_width=' || half_width::bit::bigint, 'limit_share=' || limit_share::bit::bigint,
    'limited_by=' || limited_by, 'source=' || source, 'note=' || note
)) as digest from measurements
union all
select run_id, seq, md5_number_lower(concat_ws(chr(31),
    'recorded_at=' || epoch_us(recorded_at), 'device=' || device, 'dtype=' || dtype, 'timer=' || timer,
    'copy_rate=' || copy_rate::bit::bigint, 'matrix_rate=' || matrix_rate::bit::bigint,
    'idle_power=' || idle_power::bit::bigint, 'power_limit=' || power_limit::bit::bigint,
    'temperature=' || temperature::bit::bigint, 'clock=' || clock::bit::bigint,
    'clock_max=' || clock_max::bit::bigint, 'throttled=' || throttled, 'energy_source=' || energy_source,
    'energy_missing=' || energy_missing, 'rates_missing=' || rates_missing
)) as digest from machines
union all
select run_id, seq, md5_number_lower(concat_ws(chr(31),
    'recorded_at=' || epoch_us(recorded_at), 'kind=' || kind, 'level=' || level, 'task=' || task,
    'message=' || message, 'detail=' || detail
)) as digest from events where kind <> 'bundle'
