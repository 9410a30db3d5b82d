-- Makes runs $first to $last (0-based, without the last) of a large warehouse, in the order in which runs would have
-- filled it. 400 models, each pruned by five methods, again and again, under two sets of conditions; a run visits 7
-- levels, with 12 benchmarks of two metrics or three, and MMLU with its 46 subjects: 504 metrics. $documents per
-- benchmark and level have their sample rows. A document is as hard at one level as at another, but for some noise,
-- so flips are as rare as they are in real runs.
create or replace temp table chunk as
select
    i,
    strftime(timestamp '2026-01-01' + to_minutes(30 * i), '%Y%m%d-%H%M%S') || '-' || lpad((i % 1000)::varchar, 3, '0')
        || left(md5('run' || i), 4) as run_id,
    timestamp '2026-01-01' + to_minutes(30 * i) as started,
    i // 5 % 400 as model_number,
    (['maw', 'vow', 'pon', 'l2', 'random'])[1 + i % 5] as method,
    if(i // 2000 % 2 = 0, 'bfloat16, all documents', 'bfloat16, first ' || $documents || ' documents') as conditions
from range($first, $last) runs(i);

create or replace temp table level_list as
select unnest([0, 10, 20, 30, 40, 50, 60]) as pct, pct::varchar as level, pct // 10 as position;

-- `start` is the score at no pruning on average, `floor` the one of guessing.
create or replace temp table task_list as
select row_number() over () - 1 as position, *
from (
    from (values
        ('gsm8k', null, false, ['exact_match'], ['flexible-extract', 'strict-match'], 0.35, 0.0),
        ('arc_challenge', null, false, ['acc_norm', 'acc'], ['none'], 0.45, 0.25),
        ('hellaswag', null, false, ['acc_norm', 'acc'], ['none'], 0.65, 0.25),
        ('boolq', null, false, ['acc', 'acc_norm'], ['none'], 0.70, 0.5),
        ('piqa', null, false, ['acc', 'acc_norm'], ['none'], 0.75, 0.5),
        ('ifeval', null, false, ['prompt_level_strict_acc', 'inst_level_strict_acc'], ['none'], 0.40, 0.0),
        ('leaderboard_musr', null, false, ['acc_norm', 'acc'], ['none'], 0.40, 0.35),
        ('truthfulqa_mc1', null, false, ['acc', 'acc_norm'], ['none'], 0.30, 0.25),
        ('truthfulqa_mc2', null, false, ['acc', 'acc_norm'], ['none'], 0.42, 0.3),
        ('winogrande', null, false, ['acc', 'acc_norm'], ['none'], 0.62, 0.5),
        ('wikitext', null, false, ['word_perplexity', 'byte_perplexity', 'bits_per_byte'], ['none'], 12.0, 900.0),
        ('lambada_openai', null, false, ['perplexity', 'acc'], ['none'], 6.0, 5000.0),
        ('mmlu', null, true, ['acc'], ['none'], 0.45, 0.25)
    ) as t (task, part_of, is_group, metrics, filters, start, floor)
    union all
    select 'mmlu_subject_' || s, 'mmlu', false, ['acc'], ['none'], 0.45, 0.25 from range(46) subjects(s)
);

create or replace temp table cell_list as
select
    c.*, l.level, l.pct, t.task, t.part_of, t.is_group, t.metrics, t.filters,
    100 + 59 * l.position + t.position as seq,
    c.started + to_seconds(60 + 59 * l.position + t.position) as recorded_at,
    t.floor + (t.start - t.floor) * (1 - l.pct / 70.0) * (0.8 + 0.4 * (hash(c.model_number, t.task) % 1000 / 1000.0))
        as score
from chunk c, level_list l, task_list t
order by c.i, l.position, t.position;

begin;
insert into runs by name
select
    run_id, 0 as seq, started as recorded_at, 'run ' || i as name, 'run' as origin, method, 'paper' as suite, conditions,
    'bfloat16' as dtype,
    {'name': 'run ' || i, 'model': 'org/model-' || model_number, 'method': method,
        'levels': ['0', '10', '20', '30', '40', '50', '60']}::json as plan
from chunk order by i;

insert into attempts by name
select
    run_id, 1 as seq, started as recorded_at, 1 as attempt, 4000 + i as pid, 'gpu-' || i % 8 as host,
    {'versions': {'torch': '2.13.0', 'lm-eval': '0.4.13', 'transformers': '5.10.0'}, 'device': 'NVIDIA H200'}::json
        as provenance
from chunk order by i;

insert into attempts by name
select
    run_id, 99 as seq, started + to_seconds(50) as recorded_at, 2 as attempt, 5000 + i as pid, 'gpu-' || i % 8 as host,
    '{}'::json as provenance
from chunk where i % 10 = 3 order by i;

insert into models by name
select
    run_id, 2 as seq, started as recorded_at, left(md5('model' || model_number), 12) as model_id,
    'org/model-' || model_number as model, model as source, md5('revision' || model_number) as revision,
    md5('weights' || model_number) as weights_hash, 'llama' as model_type, 2048 as hidden_size,
    8192 as intermediate_size, 16 as num_hidden_layers, 32 as num_attention_heads, 8 as num_key_value_heads,
    128256 as vocab_size, true as tied_embeddings, 1235814400 as parameters, 2471628800 as bytes
from chunk order by i;

insert into variants by name
select
    run_id, 3 + l.position as seq, started as recorded_at, level, method, pct as pruning_pct,
    8192 * (100 - pct) // 100 as intermediate_size, ceil(intermediate_size / 64)::integer * 64 as padded_size,
    intermediate_size / 2048 as expansion_ratio, 430508032 + 98304::bigint * intermediate_size as parameters,
    2 * parameters as bytes
from chunk, level_list l order by i, l.position;

insert into tasks by name
select
    run_id, 20 + t.position as seq, started as recorded_at, task, part_of, '1.0' as version,
    'multiple_choice' as output_type, 0 as num_fewshot, $documents as n_docs, 4 * $documents as n_requests,
    task as dataset, md5(task) as dataset_fingerprint, md5(task || conditions) as requests_hash
from chunk, task_list t where not is_group order by i, t.position;

insert into cells by name
select
    run_id, seq, recorded_at, level, task, part_of, is_group, '1.0' as version, 0 as num_fewshot, 4.5 as seconds,
    if(is_group or part_of is not null, null, 'samples/' || level || '-' || task || '-1.parquet') as samples
from cell_list order by i, seq;

insert into metrics by name
select
    run_id, seq, recorded_at, level, task, part_of, is_group, '1.0' as version, 0 as num_fewshot, metric, filter,
    if(starts_with(metric, 'byte') or starts_with(metric, 'bits'), ln(score), score)
        * (0.97 + 0.06 * (hash(i, level, task, metric, filter) % 1000 / 1000.0)) as value,
    if(contains(metric, 'perplexity'), value / 50, sqrt(abs(value * (1 - value)) / $documents)) as stderr,
    $documents as n, not contains(metric, 'perplexity') and metric <> 'bits_per_byte' as higher_is_better
from (select * exclude (metrics, filters), unnest(metrics) as metric, filters from cell_list), unnest(filters) f(filter)
order by i, seq, metric, filter;

insert into samples by name
select
    run_id, seq, level, task, doc_id::integer as doc_id, filters[1] as filter, metrics[1] as metric,
    case
        when contains(metrics[1], 'perplexity') then -ln(score) * (0.5 + hash(task, doc_id) % 1000 / 1000.0)
        else (
            0.9 * (hash(model_number, task, doc_id) % 1000 / 1000.0) + 0.1 * (hash(i, level, task, doc_id) % 1000 / 1000.0)
            < score
        )::integer
    end as value,
    if(task = 'wikitext', 200 + doc_id, null) as weight,
    (hash(model_number, task, doc_id) % 4)::varchar as response
from cell_list, range($documents) documents(doc_id)
where not is_group and part_of is null
order by i, seq, doc_id;

insert into merged_events by name
select run_id, seq, kind, 200 * seq as journal_end, recorded_at as merged_at
from (
    select i, run_id, 0 as seq, 'plan' as kind, started as recorded_at from chunk
    union all select i, run_id, 1, 'attempt', started from chunk
    union all select i, run_id, 99, 'attempt', started from chunk where i % 10 = 3
    union all select i, run_id, 2, 'model', started from chunk
    union all select i, run_id, 3 + l.position, 'variant', started from chunk, level_list l
    union all select i, run_id, 20 + t.position, 'task', started from chunk, task_list t where not is_group
    union all select i, run_id, seq, 'cell', recorded_at from cell_list
    union all select i, run_id, 600, 'finished', started + to_minutes(20) from chunk
) order by i, seq;

insert into events by name
select
    run_id, 600 as seq, started + to_minutes(20) as recorded_at, 'finished' as kind, null as level, null as task,
    '0' as message, null as detail
from chunk order by i;
commit;
