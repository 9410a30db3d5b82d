"""lm-eval's tasks, asked of a pruned model and judged by lm-eval's own metrics."""
