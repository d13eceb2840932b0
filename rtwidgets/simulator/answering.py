"""What a response is to say: the brain's words and calls as they come, and their sound."""

from __future__ import annotations

from dataclasses import replace

from . import outputs
from .budget import Budget
from .g711 import from_pcm
from .jobs import Answer, Call, Failure, Result, Said, Speak, Think, mended, whole_characters
from .outputs import Output, Segment, Stage
from .planning import Plan


class Draft:
    """The outputs of one response, as far as they are known; `finished` once all of them are."""

    def __init__(self, stage: Stage, plan: Plan, response_id: str) -> None:
        self.outputs: list[Output] = []
        self.budget = Budget(plan.max_output_tokens, plan.effort)
        self.finished = False
        self.failure: Failure | None = None
        self._stage, self._plan, self._response_id = stage, plan, response_id
        self._held = ""  # streamed words that are no whole sentence yet
        self._half = ""  # half a character, whose other half is to come

    def take(self, job: Think | Speak, result: Result) -> None:
        """Take what came of one of this response's jobs."""
        if isinstance(result, Failure):
            self.failure = result
        elif isinstance(job, Speak) and isinstance(result, bytes):
            segment = self.outputs[job.output_index].segments[job.segment]
            segment.pcm = from_pcm(result, self._plan.audio_format["type"])
        elif self.finished:
            return
        elif isinstance(result, Said):
            text, self._half = whole_characters(self._half + result.text)
            self._say(text)
        elif isinstance(result, Answer):
            self._answer(mended(self._half + result.text), result.calls)

    def _answer(self, text: str, calls: tuple[Call, ...]) -> None:
        """All of the brain's answer, or the end of one whose words came before."""
        self.finished = True
        if self.budget.is_spent and not self.outputs:
            self.budget.cut = True  # all of it went into thinking
            return
        if text or self._held or not (self.outputs or calls):
            phase = "commentary" if calls and not self.outputs else "final_answer"
            output = self._message(phase)
            self._add(output, self._held + text)
        for output in self.outputs:
            output.complete = True
        for wanted in calls:
            if not self.budget.cut:
                self._call(wanted)

    def _call(self, wanted: Call) -> None:
        """A call, as far as its arguments may go; half a call of an MCP tool is none."""
        granted = self._plan.granted.get(wanted.name)
        arguments = self.budget.arguments(wanted.arguments, whole=granted is not None)
        if arguments is None:
            return
        wanted, index = replace(wanted, arguments=arguments), len(self.outputs)
        self.outputs.append(outputs.call(self._stage.new_id, index, wanted, granted))

    def _say(self, text: str) -> None:
        """More words: text goes out as it comes, for sound whole sentences are spoken."""
        if not text or (self.budget.is_spent and not self.outputs):
            return
        output = self._message("final_answer")
        if self._plan.modality == "text":
            return self._add(output, text)
        whole, self._held = outputs.sentences(self._held + text)
        for sentence in whole:
            self._add(output, sentence)

    def _message(self, phase: str) -> Output:
        """The message that is being said; the first words begin it."""
        if not self.outputs:
            # Captured: only reasoning models say which phase it is.
            shown = phase if self._plan.reasoning else None
            self.outputs.append(outputs.message(self._stage.new_id, 0, shown, complete=False))
        return self.outputs[0]

    def _add(self, output: Output, text: str) -> None:
        spoken = self._plan.modality == "audio"
        text = self.budget.words(text, spoken=spoken, first=not output.segments)
        if not text and output.segments:
            return
        output.segments.append(Segment(text, None if spoken else b""))
        if spoken:
            place, plan = len(output.segments) - 1, self._plan
            speak = Speak(self._response_id, output.index, place, text, plan.voice_name, plan.speed)
            self._stage.ask(speak)
