"""Voice notes and pictures: from files and from a browser, into a session or a chat."""

from __future__ import annotations

import io
import struct
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rtwidgets as rt
from rtwidgets import audio
from rtwidgets.events import session_update
from rtwidgets.widgets import clips
from rtwidgets.widgets.comm import shared_sender

SOON = 10.0
QUESTION = "What is the oldest fossil here?"


def spoken(seconds: float = 1.5) -> np.ndarray[Any, Any]:
    """A sound that a server takes for speech: tones with pauses, int16 at 24 kHz."""
    times = np.arange(round(seconds * audio.RATE)) / audio.RATE
    return (8000 * np.sin(2 * np.pi * 220 * times) * (np.sin(6 * times) > 0)).astype(np.int16)


def png(width: int, height: int, noise: bool = False) -> bytes:
    """A PNG, grey or of noise, which cannot be packed."""
    pixels = np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8)
    rows = b"".join(b"\0" + (one if noise else one * 0).tobytes() for one in pixels)
    size = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = [(b"IHDR", size), (b"IDAT", zlib.compress(rows, 1)), (b"IEND", b"")]
    packed = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


def webm(samples: np.ndarray[Any, Any]) -> bytes:
    """What ipywebrtc's AudioRecorder gives: opus at 48 kHz in webm."""
    av = pytest.importorskip("av", reason="PyAV is not installed: pip install -e '.[notes]'")
    written = io.BytesIO()
    with av.open(written, "w", format="webm") as file:
        stream = file.add_stream("libopus", rate=48_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(samples[None, :], format="s16", layout="mono")
        frame.rate = audio.RATE
        to_opus = av.AudioResampler(format="s16", layout="mono", rate=48_000, frame_size=960)
        for piece in (*to_opus.resample(frame), *to_opus.resample(None)):
            file.mux(stream.encode(piece))
        file.mux(stream.encode(None))
    return written.getvalue()


def session(**options: Any) -> rt.Session:
    lines = {"user_lines": [QUESTION, "And this?"]}
    return rt.Session(rt.Simulated(where="memory", latency="none", **lines), **options)


# ---------------------------------------------------------------- voice notes


def test_a_note_from_a_file_is_one_committed_turn_with_an_answer(tmp_path: Path) -> None:
    path = tmp_path / "note.wav"
    path.write_bytes(audio.wav_bytes(audio.pcm_from_samples(spoken())))
    with session() as s:
        before = s.conversation.session["audio"]["input"]["turn_detection"]
        note = rt.VoiceNote.from_file(path, s)
        reply = note.send()
        assert reply is not None and reply.status == "completed" and "fossil" in reply.text
        assert note.seconds == 1.5 and repr(note) == "VoiceNote(1.5 s)"
        assert len(s.log.where(type="input_audio_buffer.committed")) == 1
        assert not s.log.where(type="input_audio_buffer.speech_started")
        sent = b"".join(row.pcm for row in s.log.where(type="input_audio_buffer.append"))
        assert sent == audio.pcm_from_samples(spoken())
        assert not s.log.where(type="error")
        [turn] = s.log.turns()
        assert turn.by == "spoken"
        assert s.conversation.session["audio"]["input"]["turn_detection"] == before


def test_where_no_turn_is_detected_nothing_is_switched() -> None:
    with session() as s:
        s.send(session_update(audio={"input": {"turn_detection": None}}))
        s.wait_for("session.updated")
        rt.VoiceNote.from_samples(spoken()).send(s)
        assert len(s.log.where(type="session.update")) == 2, "the session's own, and ours above"


def test_a_note_waits_for_the_reply_that_is_being_made() -> None:
    with session() as s:
        s.say("Tell me about the museum.")
        reply = rt.VoiceNote.from_samples(spoken(), s).send()
        assert reply is not None and "fossil" in reply.text
        assert not s.log.where(type="error")
        assert [one.by for one in s.log.turns()] == ["typed", "spoken"]


def test_two_notes_are_two_turns() -> None:
    with session() as s:
        note = rt.VoiceNote.from_samples(spoken(), s)
        first, second = note.send(), note.send()
        assert first is not None and second is not None
        assert first.response_id != second.response_id and len(s.log.turns()) == 2


def test_a_note_into_a_chat_returns_at_once() -> None:
    chat = rt.RealtimeChat(endpoint=rt.Simulated(where="thread", latency="none"))
    try:
        chat.start()
        chat.wait(30)
        assert rt.VoiceNote.from_samples(spoken()).send(chat) is None
        chat.wait(30)
        assert len(chat.log.where(type="response.done")) == 1
    finally:
        chat.stop()


@pytest.mark.parametrize("samples", [spoken(0.05), np.zeros(0, np.int16)])
def test_a_note_that_is_too_short_is_not_sent(samples: np.ndarray[Any, Any]) -> None:
    with session() as s:
        rows = len(s.log)
        with pytest.raises(rt.Misuse, match="100 ms"):
            rt.VoiceNote.from_samples(samples, s).send()
        assert len(s.log.where(direction="client")[rows:]) == 0


@pytest.mark.parametrize("to", [None, "chat", 3])
def test_a_note_needs_a_conversation(to: Any) -> None:
    with pytest.raises(rt.Misuse, match="Session or a RealtimeChat"):
        rt.VoiceNote.from_samples(spoken(), to).send()


def test_a_session_that_is_not_open_is_told_so() -> None:
    with pytest.raises(rt.Misuse, match="with block"):
        rt.VoiceNote.from_samples(spoken(), session()).send()


def test_what_a_browser_recorded_is_decoded() -> None:
    tone = (9000 * np.sin(2 * np.pi * 440 * np.arange(audio.RATE) / audio.RATE)).astype(np.int16)
    heard = clips.sound_of(webm(tone))
    assert abs(len(heard) - len(tone)) < audio.RATE // 10
    strongest = np.fft.rfftfreq(len(heard), 1 / audio.RATE)[np.abs(np.fft.rfft(heard)).argmax()]
    assert abs(strongest - 440) < 5


@pytest.mark.parametrize("data", [b"", b"hello", b"RIFF\0\0\0\0WAVEnot", b"\x1a\x45\xdf\xa3" * 9])
def test_what_is_no_sound_is_refused_in_words(data: bytes) -> None:
    pytest.importorskip("av")
    with pytest.raises(rt.Misuse):
        clips.sound_of(data)


def test_the_recorder_takes_what_the_page_recorded() -> None:
    pytest.importorskip("ipywebrtc")
    note = rt.VoiceNote()
    with pytest.raises(rt.Misuse, match="Nothing was recorded"):
        _ = note.samples
    assert note.seconds == 0 and note._recorder is not None
    note._recorder._recorder.audio.value = webm(spoken())
    label = note._recorder._words
    wait_until(lambda: "recorded" in label.value and note.seconds > 1)
    note._press()  # nobody to send it to: said where it was pressed
    wait_until(lambda: "RealtimeChat" in label.value)
    note.close()


def wait_until(ready: Any) -> None:
    import time

    deadline = time.monotonic() + SOON
    while not ready():
        assert time.monotonic() < deadline
        shared_sender().drain(0.05)


# ---------------------------------------------------------------- pictures


def test_a_picture_from_a_file_is_sent_with_the_words(tmp_path: Path) -> None:
    path = tmp_path / "ammonite.png"
    path.write_bytes(png(64, 48))
    with session() as s:
        reply = rt.Snapshot.from_file(path, s).send("What is this?")
        assert reply is not None and reply.status == "completed"
        assert reply.usage is not None
        assert reply.usage["input_token_details"]["image_tokens"] > 0
        [sent] = s.log.where(type="conversation.item.create")
        picture, words = sent.event["item"]["content"]
        assert picture["image_url"].startswith("data:image/png;base64,iVBOR")
        assert words == {"type": "input_text", "text": "What is this?"}
        assert not s.log.where(type="error")


def test_a_picture_without_words() -> None:
    with session() as s:
        snapshot = rt.Snapshot.__new__(rt.Snapshot)
        snapshot.to, snapshot._recorder, snapshot._picture = s, None, clips.picture_of(png(8, 8))
        snapshot.send("")
        [sent] = s.log.where(type="conversation.item.create")
        assert [one["type"] for one in sent.event["item"]["content"]] == ["input_image"]


def test_a_picture_that_is_large_is_made_smaller() -> None:
    pytest.importorskip("av")
    large = png(1500, 600, noise=True)
    assert len(large) > clips.LARGEST_BYTES
    picture = clips.picture_of(large)
    assert picture.media_type == "image/jpeg" and len(picture.data) <= clips.LARGEST_BYTES
    av = sys.modules["av"]
    with av.open(io.BytesIO(picture.data)) as file:
        frame = next(file.decode(video=0))
    assert (frame.width, frame.height) == (1024, 410)


def test_a_picture_of_moderate_size_is_sent_as_it_is() -> None:
    data = png(640, 480)
    assert clips.picture_of(data) == clips.Picture(data, "image/png")
    assert clips.picture_of(b"\xff\xd8\xff\xe0rest").media_type == "image/jpeg"


@pytest.mark.parametrize("data", [b"", b"hello", b"GIF89a"])
def test_what_is_no_picture_is_refused_in_words(data: bytes) -> None:
    pytest.importorskip("av")
    with pytest.raises(rt.Misuse):
        clips.picture_of(data)


def test_the_camera_takes_a_picture() -> None:
    pytest.importorskip("ipywebrtc")
    snapshot = rt.Snapshot()
    with pytest.raises(rt.Misuse, match="No picture"):
        _ = snapshot.picture
    assert snapshot._recorder is not None and repr(snapshot) == "Snapshot(no picture yet)"
    snapshot._recorder._recorder.image.value = png(16, 16)
    wait_until(lambda: "taken" in snapshot._recorder._words.value)
    assert snapshot.picture.media_type == "image/png" and "image/png" in repr(snapshot)
    snapshot.close()


# ---------------------------------------------------------------- what is not installed


@pytest.mark.parametrize(
    ("missing", "use"),
    [
        ("ipywebrtc", lambda: rt.VoiceNote()),
        ("ipywebrtc", lambda: rt.Snapshot()),
        ("av", lambda: clips.sound_of(b"\x1a\x45\xdf\xa3")),
        ("av", lambda: clips.picture_of(b"\x89PNG\r\n\x1a\n" + bytes(clips.LARGEST_BYTES))),
    ],
)
def test_what_is_missing_is_named_with_its_command(
    monkeypatch: pytest.MonkeyPatch, missing: str, use: Any
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(rt.Misuse, match=r"pip install 'rtwidgets\[notes\]'"):
        use()


def test_a_wav_needs_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    monkeypatch.setitem(sys.modules, "ipywebrtc", None)
    (tmp_path / "a.wav").write_bytes(audio.wav_bytes(audio.pcm_from_samples(spoken(0.5))))
    assert rt.VoiceNote.from_file(tmp_path / "a.wav").seconds == 0.5


def test_a_recorder_that_cannot_be_read_says_so_before_and_after_the_recording(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("ipywebrtc", reason="ipywebrtc is not installed")
    monkeypatch.setitem(sys.modules, "av", None)
    note = rt.VoiceNote()
    assert note._recorder is not None
    assert "PyAV" in note._recorder._words.value and "pip install" in note._recorder._words.value
    with pytest.raises(rt.Misuse, match="PyAV"):
        note._recorded(b"\x1aE\xdf\xa3 a clip of the browser's")
    with pytest.raises(rt.Misuse, match="PyAV"):  # and not: nothing was recorded
        note.send()
    note._recorded(rt.audio.wav_bytes(bytes(4800)))
    assert note.seconds == pytest.approx(0.1)
    note.close()
