-- The unpruned models whose sizes are known, the latest first of those with the same name and weights.
select model, weights_hash, config_hash, tokenizer_hash, model_type, hidden_size, intermediate_size, num_hidden_layers,
    parameters
from models
where hidden_size is not null and intermediate_size is not null
qualify row_number() over (partition by model, weights_hash order by recorded_at desc, run_id, seq desc) = 1
order by recorded_at desc, run_id;
