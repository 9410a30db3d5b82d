"""The worker process: loads a model once, and evaluates it level by level, task by task.

Started as the process `engine.worker RUN_DIR` (`prune_tui.process`); nothing outside imports it but `prune_tui`, for
whoever wants the work done in a process of theirs.
"""
