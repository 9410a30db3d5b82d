"""Under which protocol methods and repairs are judged: the options that the scripts which do it have in common."""

from __future__ import annotations

import argparse


def protocol_arguments(*, levels: str, held_out_tokens: int) -> argparse.ArgumentParser:
    """A parent of the parsers of scripts that judge methods and repairs, with the defaults of one of them."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--levels", default=levels)
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--text", help="held out: documents apart by blank lines, a Parquet file's column text, or own")
    parser.add_argument("--tokens", type=int, default=held_out_tokens, help="of held-out text")
    parser.add_argument("--length", type=int, default=256, help="of its sequences, at most")
    parser.add_argument("--calibration", default="self")
    parser.add_argument("--calibration-tokens", type=int)
    parser.add_argument("--calibration-length", type=int)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--dtype", default="auto")
    return parser
