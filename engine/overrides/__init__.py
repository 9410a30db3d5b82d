"""Faster ways of doing what a model's layers do, chosen by --compile or by what the device can.

`kernels` is where inference asks for them; it runs without any. Each has a counterpart in plain torch, in `reference`
or in the layer that was there before, which its test holds it against.
"""
