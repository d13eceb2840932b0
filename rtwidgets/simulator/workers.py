"""Doing the engines' jobs: at once where that costs nothing, on another thread where it may."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from .jobs import (
    Answer,
    Brain,
    Deaf,
    Foresee,
    Job,
    Listen,
    Result,
    Said,
    Speak,
    StreamingBrain,
    Think,
    Transcriber,
    do,
    failure,
)
from .speech import Speaker

MOST_AT_ONCE = 32  # slow answers; more wait their turn

Deliver = Callable[[Result], None]


class Workers:
    """Brain, voice and transcriber of one server. `quick` ones are asked where we stand."""

    def __init__(
        self, brain: Brain, speaker: Speaker, transcriber: Transcriber | None = None
    ) -> None:
        self.brain, self.speaker = brain, speaker
        self.transcriber = transcriber or Deaf()
        self._pool = ThreadPoolExecutor(MOST_AT_ONCE, thread_name_prefix="rtwidgets-brain")

    def start(self, job: Job, wanted: Callable[[], bool], later: Deliver) -> Result | None:
        """The result, or None: then `later` is called with it on another thread.

        A streamed answer calls `later` more than once, the last time with an `Answer` or a
        `Failure`; it ends early when `wanted()` is false.
        """
        if isinstance(job, Speak):
            return self._speak(job, later)
        worker = self.transcriber if isinstance(job, Listen) else self.brain
        if isinstance(job, Foresee) or getattr(worker, "quick", False):
            return do(job, self.brain, self.speaker, self.transcriber)
        self._pool.submit(self._work, job, wanted, later)
        return None

    def _speak(self, job: Speak, later: Deliver) -> Result | None:
        sound = self.speaker.submit(job.text, job.voice, job.speed)
        if sound.done():  # said before
            return _sounded(sound)
        sound.add_done_callback(lambda done: later(_sounded(done)))
        return None

    def _work(self, job: Think | Listen, wanted: Callable[[], bool], later: Deliver) -> None:
        if isinstance(job, Think) and isinstance(self.brain, StreamingBrain):
            return self._stream(job, self.brain, wanted, later)
        later(do(job, self.brain, self.speaker, self.transcriber))

    def _stream(
        self, job: Think, brain: StreamingBrain, wanted: Callable[[], bool], later: Deliver
    ) -> None:
        try:
            for part in brain.stream(job.question):
                if not wanted():
                    return
                later(part)
                if not isinstance(part, Said):
                    return
            later(Answer())  # it ended without one: what was said is all there is
        except Exception as problem:  # as in jobs.do
            later(failure(problem))

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)


def _sounded(done: Future[bytes]) -> Result:
    problem = done.exception()
    return failure(problem) if problem else done.result()
