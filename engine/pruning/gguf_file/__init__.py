"""GGUF: a model in one file, as llama.cpp reads it, and back."""
