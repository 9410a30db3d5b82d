-- The cell that a number was reported with, the width it was measured at and the task as the run had built it.
select
    c.level, c.task, c.part_of, c.is_group, c.seconds, c.samples,
    v.method, v.repair, v.pruning_pct, v.intermediate_size, v.padded_size, v.expansion_ratio, v.parameters,
    t.version as task_version, t.output_type, t.num_fewshot as task_shots, t.n_docs, t.n_requests, t.dataset,
    t.dataset_fingerprint, t.requests_hash, c.harness_version,
    k.source as calibration_source, k.tokens as calibration_tokens, k.length as calibration_length,
    k.seed as calibration_seed, k.hash as calibration_hash, k.path as calibration_path,
    coalesce(c.questions_hash, t.questions_hash) as questions_hash, coalesce(c.tokens_hash, t.tokens_hash) as tokens_hash
from (from cells where run_id = $run_id and seq = $seq and level = $level and task = $task limit 1) c
left join (
    from variants where run_id = $run_id and level = $level order by seq desc limit 1
) v on true
left join (from tasks where run_id = $run_id and task = $task and seq <= $seq order by seq desc limit 1) t on true
left join (from calibrations where run_id = $run_id and seq <= $seq order by seq desc limit 1) k on true;
