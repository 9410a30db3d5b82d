-- What a run says of itself, its last word on each: plan, process, model, widths and tasks.
select
    (from (select plan from runs where run_id = $run_id order by seq desc limit 1)) as plan,
    (from (select dtype from runs where run_id = $run_id order by seq desc limit 1)) as dtype,
    (from (select conditions from runs where run_id = $run_id order by seq desc limit 1)) as conditions,
    (from (select provenance from attempts where run_id = $run_id order by seq desc limit 1)) as provenance,
    (select count(*) from attempts where run_id = $run_id) as attempts,
    (
        from (
            select {'name': model, 'revision': revision, 'weights_hash': weights_hash, 'parameters': parameters,
                'config_hash': config_hash, 'tokenizer_hash': tokenizer_hash}
            from models where run_id = $run_id order by seq desc limit 1
        )
    ) as model,
    (
        select map_from_entries(list(
            (level, {'method': method, 'repair': repair, 'intermediate_size': intermediate_size,
                'padded_size': padded_size})
            order by level
        ))
        from (
            from variants where run_id = $run_id
            qualify row_number() over (partition by level order by seq desc) = 1
        )
    ) as widths,
    (
        select map_from_entries(list(
            (
                task,
                {
                    'version': version, 'num_fewshot': num_fewshot, 'n_docs': n_docs,
                    'dataset_fingerprint': dataset_fingerprint, 'requests_hash': requests_hash,
                    'questions_hash': questions_hash, 'tokens_hash': tokens_hash
                }
            )
            order by task
        ))
        from (
            from tasks where run_id = $run_id
            qualify row_number() over (partition by task order by seq desc) = 1
        )
    ) as tasks;
