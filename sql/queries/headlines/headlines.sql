select task, metric, filter from benchmarks;
