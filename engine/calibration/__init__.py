"""Text that neurons are looked at on: written by the model itself, from a file, or a task's training documents."""
