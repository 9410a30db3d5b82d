"""What calibration adds to a planned run: tokens, memory and, roughly, time."""

from __future__ import annotations

from dataclasses import dataclass

from engine.planning.calibration_amount import CalibrationAmount
from engine.planning.plan import RunPlan
from engine.planning.preview import Shape

# Operations a second, as a run of the method on an H200 and on one core of a server came to: the pass and its products,
# and the ordering and solving, which is made of smaller pieces.
_GPU_PASS, _GPU_SOLVE = 5e14, 1.2e13
_CPU_PASS, _CPU_SOLVE = 4e10, 2e10
_ANY_CONTEXT = 2**31 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationForecast:
    """`tokens` are looked at; `moments` are bytes for one layer's products of activations, of `layers` such; `seconds`
    leave out the writing of text by the model itself, whose speed nobody knows before a run has told it.
    """

    tokens: int
    moments: int
    layers: int
    seconds: float

    @property
    def bytes(self) -> int:
        """Of all layers at once, as a device holds them that has room."""
        return self.moments * self.layers


def calibration_forecast(plan: RunPlan, shape: Shape) -> CalibrationForecast | None:
    """None for a run that looks at no text.

    Raises:
        UserError: fewer tokens are asked for than the neurons need.
    """
    if not plan.is_calibrated:
        return None
    on_gpu = shape.device_for(plan.device).startswith("cuda")
    width, layers = shape.intermediate_size, shape.num_hidden_layers
    amount = CalibrationAmount.chosen(
        tokens=plan.calibration_tokens, length=plan.calibration_length, on_gpu=on_gpu,
        own_text=plan.calibration_source.is_self, intermediate_size=width, context=_ANY_CONTEXT,
    )  # fmt: skip
    through = 2 * amount.tokens * (shape.parameters + layers * width**2)
    solved = 2 * layers * width**3
    passing, solving = (_GPU_PASS, _GPU_SOLVE) if on_gpu else (_CPU_PASS, _CPU_SOLVE)
    return CalibrationForecast(
        tokens=amount.tokens,
        moments=4 * width**2,
        layers=layers,
        seconds=through / passing + solved / solving,
    )
