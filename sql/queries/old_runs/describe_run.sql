update runs
set
    documents = $documents, dtype = $dtype, seeds = $seeds, chat_template = $chat_template,
    chat_template_hash = $chat_template_hash, system_prompt = $system_prompt,
    fewshot_as_multiturn = $fewshot_as_multiturn, generation = $generation, quantization = $quantization,
    adapter = $adapter, model_args = $model_args, published = $published, repair = $repair, calibration = $calibration
where run_id = $run_id and seq = $seq;
