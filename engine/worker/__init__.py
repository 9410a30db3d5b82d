"""The worker process: loads a model once, and evaluates it level by level, task by task.

Started as `python -m engine.worker RUN_DIR`; nothing outside imports it.
"""
