"""`python -m prune_tui.lm_eval …`: lm-eval's own command line, with a model `prune-tui` beside its others.

python -m prune_tui.lm_eval --model prune-tui --model_args pretrained=MODEL,level=40 --tasks piqa
"""

from __future__ import annotations

import sys
from importlib import import_module

from prune_tui import ours


def main() -> None:
    """Hands over to lm-eval; a mistake that a person can mend ends with one sentence and exit code 2."""
    ours.come_first()
    from engine.errors import UserError
    from engine.evaluation.harness_model import register

    register()
    harness = import_module("lm_eval.__main__")
    try:
        harness.cli_evaluate()
    except UserError as error:
        print(error, file=sys.stderr)
        raise SystemExit(2) from None


if __name__ == "__main__":
    main()
