"""What a run is going to do, written down before it starts."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from engine.errors import UserError
from engine.planning.calibration import DEFAULT_CALIBRATION, REPAIRS, CalibrationSource
from engine.planning.methods import DEFAULT_METHOD, find_method
from engine.planning.model_files import is_gguf
from engine.planning.profiling import ProfilePlan
from engine.planning.suites import TaskSpec
from warehouse.records.conditions import DEFAULT_SEEDS, Conditions, Seeds, documents, old_seeds, seeds_text
from warehouse.records.level import Level

DTYPES = ("auto", "float32", "bfloat16", "float16")
GGUF_TYPES = ("f16", "q8_0")
TRANSFORMERS, LLAMA_CPP = "transformers", "llama.cpp"
ENGINES = (TRANSFORMERS, LLAMA_CPP)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPlan:
    """One model, swept over levels and tasks.

    `device` and `dtype` may be "auto": the best accelerator, and the checkpoint's own dtype there, float32 on
    a CPU. `limit` is a number of documents a task, or below 1 a share of them. `batch_tokens` bounds the
    tokens of one forward pass; None chooses it from the free memory. `compile_layers` spends seconds at the start
    to make every pass faster. `seeds` are lm-eval's four (random, numpy, torch, few-shot sampling); the first is
    the pruning method's as well, if it draws at random. `trust_task_code` lets task files from outside run their
    Python; `skip_broken_tasks` leaves tasks out that cannot be built.

    `repair` says how what was removed is made up for. Where the method or the repair looks at what neurons do,
    `calibration` names the text (`CalibrationSource`), `calibration_tokens` how many tokens of it and
    `calibration_length` how many a sequence; None chooses each. `damage` measures the distance to the unpruned model
    on held-out text beside the tasks. `profile` measures what each level costs, after the tasks, of which there may
    then be none. `sweep` is the id that runs started together share, `sweep_name` what a person called them.
    `use_cache` lets requests be taken from, and kept in, the user's cache. `cards` are the GPUs that the model's layers
    are spread over. `engine` computes: llama.cpp a GGUF file as it is, on the CPU; all else transformers' layers do.
    `certifies` is the id of the run that an exported file is scored like.
    """

    name: str
    model: str
    levels: tuple[Level, ...]
    tasks: tuple[TaskSpec, ...]
    method: str = DEFAULT_METHOD
    suite: str | None = None
    revision: str | None = None
    divisor: int | None = None
    limit: float | None = None
    include_paths: tuple[str, ...] = ()
    dtype: str = "auto"
    device: str = "auto"
    batch_tokens: int | None = None
    compile_layers: bool = False
    seeds: Seeds = DEFAULT_SEEDS
    trust_remote_code: bool = False
    trust_task_code: bool = False
    skip_broken_tasks: bool = False
    apply_chat_template: bool = False
    system_instruction: str | None = None
    fewshot_as_multiturn: bool = False
    repair: str = "none"
    calibration: str | None = None
    calibration_tokens: int | None = None
    calibration_length: int | None = None
    damage: bool = False
    profile: ProfilePlan | None = None
    sweep: str | None = None
    sweep_name: str | None = None
    use_cache: bool = True
    cards: int = 1
    engine: str = TRANSFORMERS
    certifies: str | None = None

    def __post_init__(self) -> None:
        find_method(self.method)
        if self.dtype not in DTYPES:
            raise UserError(f"There is no dtype '{self.dtype}': choose one of {', '.join(DTYPES)}.")
        if self.limit is not None and not 0 < self.limit < math.inf:
            raise UserError(f"--limit {self.limit:g} is no number of documents: give one above zero.")
        if self.divisor is not None and self.divisor < 1:
            raise UserError(f"A divisor of {self.divisor} cannot round a width: give a whole number above zero.")
        if self.batch_tokens is not None and self.batch_tokens < 1:
            raise UserError("A batch needs room for at least one token.")
        if self.engine not in ENGINES:
            raise UserError(f"There is no engine '{self.engine}': choose one of {', '.join(ENGINES)}.")
        if self.engine == LLAMA_CPP:
            self._check_llama_cpp()
        if self.repair not in REPAIRS:
            raise UserError(f"There is no repair '{self.repair}': choose one of {', '.join(REPAIRS)}.")
        if self.profile is not None and self.cards > 1:
            raise UserError("A profile measures a model on one GPU: leave --cards out, or --profile.")
        if self.profile is not None and self.compile_layers:
            raise UserError("A profile measures layers as they are saved: leave --compile out, or --profile.")
        if self.calibration is not None:
            CalibrationSource.parse(self.calibration)
        if self.cards < 1:
            raise UserError(f"--cards {self.cards} is no number of GPUs: give a whole number above zero.")
        if self.cards > 1:
            self._check_cards()
        for what, number in (("tokens", self.calibration_tokens), ("length", self.calibration_length)):
            if number is not None and number < 1:
                raise UserError(f"--calibration-{what} {number} is too few: give a whole number above zero.")

    def _check_llama_cpp(self) -> None:
        if not self.model.endswith(".gguf"):
            raise UserError(
                f"llama.cpp reads GGUF files, and {self.model} is none: give the .gguf file, or leave --engine out."
            )
        if self.device not in ("auto", "cpu"):
            raise UserError(f"llama.cpp works on the CPU here, and --device says {self.device}: leave it out.")
        if [str(level) for level in self.levels] != ["0"] or self.is_calibrated:
            raise UserError("llama.cpp answers with a GGUF file as it is: --levels 0, without repair.")
        if self.damage or self.profile is not None or self.cards > 1:
            raise UserError("llama.cpp is asked for scores alone: leave --damage, --profile and --cards out.")

    def _check_cards(self) -> None:
        if self.device not in ("auto", "cuda"):
            raise UserError(f"--cards {self.cards} spreads a model over GPUs, and --device says {self.device}.")
        if self.compile_layers:
            raise UserError(f"--compile is for a model on one GPU: leave it out, or --cards {self.cards}.")
        if self.is_calibrated or self.damage:
            raise UserError(
                f"--cards {self.cards}: neurons are looked at, and damage is measured, on one GPU only: choose a "
                "method that looks at weights alone, such as maw, without repair and --damage."
            )

    @property
    def is_calibrated(self) -> bool:
        """Whether neurons are looked at while they work, beside their weights."""
        return self.repair != "none" or find_method(self.method).declared.needs_activations

    @property
    def calibration_source(self) -> CalibrationSource:
        return CalibrationSource.parse(self.calibration or DEFAULT_CALIBRATION)

    @property
    def looks(self) -> tuple[str, ...]:
        """What the seconds of looking at neurons depend on, for one model; empty where they are not looked at."""
        if not self.is_calibrated:
            return ()
        amount = (str(self.calibration_tokens), str(self.calibration_length))
        return (self.method, self.repair, self.calibration_source.text, *amount)

    def conditions(self, dtype: str, chat_template: str | None = None, *, whole: bool = False) -> Conditions:
        """What must be equal, beside model, task and shots, for two scores to be compared.

        `dtype` is the one that "auto" resolved to; `chat_template` the tokenizer's, where one is applied; `whole`
        says that the limit leaves no document of any task out.
        """
        return Conditions(
            documents="all" if whole else documents(self.limit),
            dtype=dtype,
            seeds=seeds_text(self.seeds),
            chat_template=self.apply_chat_template,
            chat_template_hash=_hash(chat_template) if self.apply_chat_template else "",
            system_prompt=self.system_instruction or "",
            fewshot_as_multiturn=self.fewshot_as_multiturn,
            generation="",
            quantization="",
            adapter="",
            model_args="" if self.engine == TRANSFORMERS else f"engine={self.engine}",
            repair=self.repair,
            calibration=self.calibration_source.text if self.is_calibrated else "",
        )

    def to_dict(self) -> dict[str, Any]:
        return asdict(self) | {
            "levels": [str(level) for level in self.levels],
            "tasks": [str(task) for task in self.tasks],
            "include_paths": list(self.include_paths),
            "seeds": list(self.seeds),
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> RunPlan:
        """A plan as it was written down; whether its method is still installed is for those to find out who prune.

        A plan of an earlier version has one `seed`, which was added to each of lm-eval's.

        Raises:
            KeyError, TypeError, AttributeError, ValueError: it is none, or one of another version.
        """
        told = dict(data)
        method = str(told.pop("method", DEFAULT_METHOD))
        random, numpy, torch, fewshot = old_seeds(told.pop("seed")) if "seed" in told else told["seeds"]
        told["seeds"] = (random, numpy, torch, fewshot)
        told["levels"] = tuple(Level.parse(text) for text in data["levels"])
        told["tasks"] = tuple(TaskSpec.parse(text) for text in data["tasks"])
        told["include_paths"] = tuple(data["include_paths"])
        if told.get("profile") is not None:
            told["profile"] = ProfilePlan.from_dict(told["profile"])
        plan = cls(**told)
        object.__setattr__(plan, "method", method)
        return plan

    def resolved(self, base: Path) -> RunPlan:
        """The plan with relative folders made absolute, since a resumed run may start elsewhere."""
        model = base / self.model
        return replace(
            self,
            model=str(model.resolve()) if model.is_dir() or is_gguf(model) else self.model,
            include_paths=tuple(str((base / path).resolve()) for path in self.include_paths),
            calibration=None if self.calibration is None else self.calibration_source.resolved(base).text,
        )


def _hash(text: str | None) -> str | None:
    return None if text is None else sha256(text.encode()).hexdigest()
