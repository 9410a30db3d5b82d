from delta_statistics where task = $task and metric = $metric order by pruning_pct;
