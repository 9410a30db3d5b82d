"""What `serve` starts for a browser, without a dashboard: writes down what it is sent, and how it was begun."""

import os
import sys
from pathlib import Path


def tell(*words: object) -> None:
    with Path(sys.argv[1]).open("a") as file:
        print(*words, file=file)


tell("begun", os.getpid(), os.environ["COLUMNS"], os.environ["ROWS"])
sys.stdout.buffer.write(b"__GANGLION__\n")
sys.stdout.buffer.flush()
while kind := sys.stdin.buffer.read(1):
    text = sys.stdin.buffer.read(int.from_bytes(sys.stdin.buffer.read(4), "big")).decode()
    tell(kind.decode(), text)
    if '"quit"' in text and sys.argv[2] != "deaf":
        break
