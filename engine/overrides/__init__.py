"""Faster ways of doing what a model's layers do, chosen by --compile or by what the device can.

Each has a plain counterpart in torch, which its test swaps in.
"""
