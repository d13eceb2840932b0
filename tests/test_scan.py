"""`rtwidgets scan`: keys in every place of a notebook, however they are written, and few alarms."""

from __future__ import annotations

import base64
import html
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import nbformat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtwidgets.cli import main
from rtwidgets.scanning import scan


def made(prefix: str, length: int = 40) -> str:
    """Something that looks like a key and was never one; put together here, so that this file
    holds none."""
    return prefix + ("a7Kq9Zx2Lm4Wp8Rt" * 8)[:length]


HEAD = base64.urlsafe_b64encode(b'{"alg":"HS256","typ":"JWT"}').decode().rstrip("=")
SECRETS = {
    "OpenAI": made("sk-"),
    "OpenAI, of a project": made("sk-proj-", 120),
    "OpenAI, of a service account": made("sk-svcacct-"),
    "OpenAI, lower case": "sk-" + "0123456789abcdef" * 2,
    "client secret": made("ek_", 32),
    "Anthropic": made("sk-ant-api03-"),
    "Hugging Face": made("hf_", 34),
    "GitHub": made("ghp_", 36),
    "GitHub, fine-grained": made("github_pat_", 60),
    "GitLab": made("glpat-", 20),
    "Slack": made("xoxb-", 40),
    "AWS": "AKIA" + "Q7ZK2VW9XB4NF6HJ",
    "Google": made("AIza", 35),
    "JSON web token": f"{HEAD}.{made('eyJ')}.{made('', 30)}",
    "Bearer": f"Bearer {made('', 24)}",
    "Bearer of letters": "'Authorization': 'Bearer " + "abcdefghabcdefgh" + "'",
    "Azure, 32": "AZURE_OPENAI_KEY = '" + "0123456789abcdef" * 2 + "'",
    "Azure, 84": 'key1="' + made("", 84) + '"',
    "api-key header": '{"api-key": "' + made("", 24) + '"}',
    "environment": 'os.environ["SOME_API_KEY"] = "' + made("", 24) + '"',
    "magic": "%env SOME_API_KEY=" + made("", 24),
    "in JSON in JSON": json.dumps(json.dumps({"api_key": made("", 24)})),
    "in an address": "https://ada:" + "kj3h4kj5h" + "@host.example/",
    "a key of its own": 'Endpoint(url, key="' + made("", 48) + '")',
    "header of its own": '{"X-Gateway-Key": "' + made("", 32) + '"}',
    "cookie": "Cookie: theme=dark; session=" + made("", 32),
    "signature": "https://a.example/b?sv=2025&sig=" + made("", 40) + "%3D",
    "private key": "-----BEGIN RSA " + "PRIVATE KEY-----",
}
OF_KNOWN_SHAPE = [name for name, text in SECRETS.items() if " " not in text]


def body_of(text: str) -> str:
    """The long random part: what must never be printed."""
    return max(re.split(r"[^A-Za-z0-9]", text), key=len)


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_is_found_and_not_repeated(name: str) -> None:
    text = f"first line\nx = 1\n  {SECRETS[name]}\nlast line"
    (found,) = scan(text)
    assert found.line == 3 and found.encoded == ""
    assert body_of(SECRETS[name]) not in str(found)


ENCODINGS: dict[str, Callable[[str], str]] = {
    "URL-encoded": lambda text: quote(text, safe="").replace("-", "%2D").replace("_", "%5F"),
    "all of it URL-encoded": lambda text: "".join(f"%{byte:02x}" for byte in text.encode()),
    "HTML": lambda text: html.escape(text).replace("-", "&#45;").replace("_", "&#x5f;"),
    "escaped": lambda text: text.replace("-", "\\u002d").replace("_", "\\x5f"),
    "URL-encoded twice": lambda text: quote(
        quote(text, safe="").replace("-", "%2D").replace("_", "%5F"), safe=""
    ),
    "escaped twice": lambda text: text.replace("-", "\\\\u002d").replace("_", "\\\\x5f"),
    "in coloured HTML": lambda text: f"<b>{text[:6]}</b><span class='x'>{text[6:]}</span>",
    "coloured, in JSON": lambda text: json.dumps(text[:6] + "\x1b[38;5;1m" + text[6:]),
    "with what nobody sees": lambda text: text[:6] + "\u200b" + text[6:],
    "coloured": lambda text: text[:3] + "\x1b[31m" + text[3:] + "\x1b[0m",
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64, one before": lambda text: base64.b64encode(b"?" + text.encode()).decode(),
    "base64 of URLs, two before": lambda text: base64.urlsafe_b64encode(
        b"\xff\xfe" + text.encode() + b"\xff\xfb\xbf"
    ).decode(),
    "base64 in lines": lambda text: base64.encodebytes(b"\x00" * 50 + text.encode()).decode(),
    "base64 in a path": lambda text: (
        "/" + base64.urlsafe_b64encode(b"?" * 7 + text.encode()).decode()
    ),
}  # fmt: skip


@pytest.mark.parametrize("how", ENCODINGS)
@pytest.mark.parametrize("name", ["OpenAI", "OpenAI, of a project", "client secret", "GitHub"])
def test_a_secret_is_found_however_it_is_written(name: str, how: str) -> None:
    found = scan(ENCODINGS[how](SECRETS[name]))
    assert [one.kind for one in found] == [scan(SECRETS[name])[0].kind]
    assert found[0].encoded
    assert body_of(SECRETS[name]) not in str(found)


HARMLESS = [
    "sk-test-not-a-key", "key='sk-test-not-a-key-canary-8f3a27c1'", "sk-xxxxxxxxxxxxxxxxxxxxxxxx",
    "sk-...", "sk-proj-…", "sk-your-api-key-goes-here-1234", "sk-estimator-doc-link",
    '<div class="sk-toggleable__content fitted sk-top-container">', "#sk-container-id-1 {",
    "task-description-2024", "risk-assessment-of-2024-01-01", "desk-12345678",
    "ek_ek_ek_ek_ek_ek", "week_number_of_the_year", "Bearer authentication is used",
    "Bearer {key}", 'f"Bearer {os.environ[name]}"', "Authorization: Bearer $KEY",
    'api_key=os.environ["OPENAI_API_KEY"]', "api_key=userdata.get('OPENAI_API_KEY_2024')",
    'key = rt.ask_key()', '"key": "ArrowLeft"', "total_tokens: 123456789012",
    '"output_tokens": 1234567890123', "password: ********", "postgres://user:password@host/db",
    "token = tokenizer.encode_batch_8a(text)", "max_output_tokens=4096",
    "d41d8cd98f00b204e9800998ecf8427e", '"checksum": "d41d8cd98f00b204e9800998ecf8427e"',
    '"item_id": "item_CZ9jB1zQ8y7xK5aV3n2mQ"', "sess_simulated_8fKq92LmWx01", "ghp_",
    "hf_hub_download",
    "eyJhbGciOi", "sk-simulator-7JwdqK3n2mQ8y7xK5aV3n2mQ",
    "IPY_MODEL_8f3a27c18f3a27c18f3a27c18f3a27c1",
    "https://user@host.example/", "wrong key: sk-wrong***********AAAA", "%env FOO=bar",
    "100 %", "&amp;", "input_tokens: ImageUsageInputTokensDetails = None",
    "token = windll.advapi32.OpenProcessToken", "tokenizer = BertTokenizerForSequences",
    'key="image_of_the_museum_hall"', "df.sort_values(key=lambda x: x)", "Cookie: theme=dark",
    "<td>sk-</td><td>projection of the year 2024</td>", "a.example/?sig=short",
    '"image/png": "' + base64.b64encode(bytes(range(256)) * 40).decode() + '"',
]  # fmt: skip


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_no_secret_is_left_alone(text: str) -> None:
    assert scan(text) == []


@settings(max_examples=50, deadline=None)
@given(st.text())
def test_any_text_can_be_looked_through(text: str) -> None:
    scan(text, text)


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=3000))
def test_sound_and_pictures_hold_no_keys_by_chance(data: bytes) -> None:
    assert scan(base64.b64encode(data).decode()) == []


# ------------------------------------------------------------------ notebooks

SECRET = made("sk-proj-")
VIEW = "application/vnd.jupyter.widget-state+json"


def notebook_with(place: str, secret: str = SECRET) -> dict[str, Any]:
    code = {"cell_type": "code", "id": "a", "execution_count": 1, "metadata": {}, "source": "1"}
    first: dict[str, Any] = {**code, "outputs": []}
    cell: dict[str, Any] = {**code, "id": "b", "outputs": []}
    notebook: dict[str, Any] = {
        "cells": [first, cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5
    }  # fmt: skip

    def output(**fields: Any) -> None:
        cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "hi"}, fields]

    half = len(secret) // 2
    if place == "source":
        cell["source"] = ["import x\n", f"key = '{secret}'\n"]
    elif place == "a source in pieces":
        cell["source"] = [f"key = '{secret[:half]}", f"{secret[half:]}'"]
    elif place == "stream":
        output(output_type="stream", name="stderr", text=[f"{secret}\n"])
    elif place == "html":
        output(output_type="display_data", metadata={}, data={"text/html": f"<b>{secret}</b>"})
    elif place == "json":
        output(output_type="display_data", metadata={}, data={"application/json": {"a": [secret]}})
    elif place == "picture":
        data = base64.encodebytes(b"\x89PNG tEXt key\x00" + secret.encode()).decode()
        output(output_type="display_data", metadata={}, data={"image/png": data})
    elif place == "traceback":
        output(output_type="error", ename="E", evalue="e", traceback=["a", f"\x1b[0;31m{secret}"])
    elif place == "evalue":
        output(output_type="error", ename="E", evalue=f"bad key {secret}", traceback=[])
    elif place == "metadata of an output":
        output(output_type="display_data", data={}, metadata={"note": secret})
    elif place == "metadata of a cell":
        cell["metadata"] = {"tags": [secret, "b"]}
    elif place == "metadata":
        notebook["metadata"] = {"colab": {"note": secret}}
    elif place == "name":
        notebook["metadata"] = {"seen": {secret: 1}}
    elif place == "attachment":
        data = base64.b64encode(b"?" + secret.encode()).decode()
        cell |= {"cell_type": "markdown", "attachments": {"a.png": {"image/png": data}}}
    elif place == "name of an attachment":
        cell |= {"cell_type": "markdown", "attachments": {f"{secret}.png": {"image/png": "AAAA"}}}
    elif place == "widget state":
        state = {"model1": {"model_name": "TextModel", "state": {"value": secret}}}
        notebook["metadata"] = {"widgets": {VIEW: {"state": state}}}
    elif place == "widget state under a name":
        state = {"model1": {"state": {"api_key": secret.removeprefix("sk-proj-")}}}
        notebook["metadata"] = {"widgets": {VIEW: {"state": state}}}
    elif place == "buffer of a widget":
        data = base64.b64encode(b"\x00\x01" + secret.encode()).decode()
        state = {"model1": {"buffers": [{"data": data, "encoding": "base64", "path": ["a"]}]}}
        notebook["metadata"] = {"widgets": {VIEW: {"state": state}}}
    return notebook


PLACES = {
    "source": (2, "source, line 2"),
    "a source in pieces": (2, "source"),
    "stream": (2, "output 2 text"),
    "html": (2, "output 2 text/html"),
    "json": (2, "output 2 application/json a"),
    "picture": (2, "output 2 image/png"),
    "traceback": (2, "output 2 traceback, line 2"),
    "evalue": (2, "output 2 evalue"),
    "metadata of an output": (2, "output 2 metadata note"),
    "metadata of a cell": (2, "metadata tags"),
    "metadata": (None, "metadata colab note"),
    "name": (None, "metadata seen a name"),
    "attachment": (2, "attachments a.png image/png"),
    "name of an attachment": (2, "attachments a name"),
    "widget state": (None, "widget state model1 state value"),
    "widget state under a name": (None, "widget state model1 state api_key"),
    "buffer of a widget": (None, "widget state model1 buffers 0 data"),
}


def write(path: Path, notebook: Any) -> Path:
    path.write_text(json.dumps(notebook), "utf-8")
    return path


@pytest.mark.parametrize("place", PLACES)
def test_a_secret_is_found_wherever_it_is(
    place: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path / "a.ipynb", notebook_with(place))
    assert main(["scan", str(path)]) == 1
    lines = capsys.readouterr().out.splitlines()
    cell, where = PLACES[place]
    assert len(lines) == 1
    assert lines[0].startswith(f"{path}:{f'cell {cell}' if cell else 'no cell'}:{where}")
    assert SECRET[10:] not in lines[0]


def test_a_name_that_is_a_secret_is_masked_in_what_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    notebook = notebook_with("source")
    notebook["metadata"] = {SECRET: {"note": SECRET}}
    path = write(tmp_path / f"{SECRET}\x1b[31m.ipynb", notebook)
    assert main(["scan", str(path), str(path) + "x"]) == 1
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == 3 and err
    assert SECRET[10:] not in out + err and "\x1b" not in out + err


def test_a_clean_notebook_is_silence_and_zero(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path / "a.ipynb", notebook_with("nowhere"))
    nbformat.validate(nbformat.read(path, as_version=4))
    assert main(["scan", str(path)]) == 0
    assert capsys.readouterr() == ("", "")


def test_our_own_notebooks_are_clean(checkout: Path) -> None:
    assert main(["scan", str(checkout / "notebooks")]) == 0


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (None, "No such file"),
        (b"", "no JSON"),
        (b"{", "no JSON"),
        (b"\xff\xfe\x00", "no JSON"),
        (b"[]", "no notebook"),
        (b'{"a": 1}', "no notebook"),
        (b'{"cells": ' + b"[" * 100_000, "nested too deep|no JSON"),
    ],
)
def test_what_cannot_be_read_is_two(
    data: bytes | None, why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.ipynb"
    if data is not None:
        path.write_bytes(data)
    clean = write(tmp_path / "b.ipynb", notebook_with("nowhere"))
    assert main(["scan", str(path), str(clean)]) == 2
    assert re.search(why, capsys.readouterr().err)
    found = write(tmp_path / "c.ipynb", notebook_with("source"))
    assert main(["scan", str(path), str(found)]) == 1, "what was found weighs more"


@pytest.mark.parametrize(
    "notebook",
    [
        {"cells": None}, {"cells": [None, 1, "a", []]}, {"cells": {"a": {"source": 3}}},
        {"cells": [{"outputs": {"a": 1}, "source": [1, 2]}]},
        {"worksheets": [{"cells": [{"input": "x", "outputs": [{"text": 1}]}]}]},
    ],
)  # fmt: skip
def test_odd_notebooks_are_looked_through(notebook: Any, tmp_path: Path) -> None:
    assert main(["scan", str(write(tmp_path / "a.ipynb", notebook))]) == 0


def test_for_programs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path / "a.ipynb", notebook_with("attachment"))
    (tmp_path / "b.ipynb").touch()
    assert main(["scan", "--format", "json", str(tmp_path)]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["files"] == 2
    (one,) = told["findings"]
    assert (one["cell"], one["line"], one["kind"]) == (2, 1, "OpenAI key")
    assert one["place"] == "attachments a.png image/png" and one["encoded"] == "in base64"
    assert one["file"].endswith("a.ipynb") and SECRET[10:] not in json.dumps(told)
    (unreadable,) = told["unreadable"]
    assert unreadable["file"].endswith("b.ipynb")


def test_folders_patterns_and_other_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "deep").mkdir()
    write(tmp_path / "deep" / "a.ipynb", notebook_with("stream"))
    (tmp_path / "log.jsonl").write_text("{}\n" + json.dumps({"raw": SECRET}))
    assert main(["scan", str(tmp_path)]) == 1
    assert main(["scan", str(tmp_path / "*" / "*.ipynb")]) == 1
    assert main(["scan", str(tmp_path / "*.ipynb")]) == 2
    assert main(["scan", str(tmp_path / "log.jsonl")]) == 1
    assert "text, line 2: OpenAI key sk-proj-…" in capsys.readouterr().out


def test_as_a_command_of_its_own(tmp_path: Path, checkout: Path) -> None:
    path = write(tmp_path / "a.ipynb", notebook_with("html"))
    done = subprocess.run(
        [sys.executable, "-m", "rtwidgets", "scan", str(path)],
        cwd=checkout, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 1 and "output 2 text/html" in done.stdout


def test_the_hook_is_this_command(checkout: Path) -> None:
    """What pre-commit reads; one entry, in its few lines of YAML."""
    hook = (checkout / ".pre-commit-hooks.yaml").read_text()
    fields = dict(re.findall(r"^(?:- |  )(\w+): (.+)$", hook, re.MULTILINE))
    assert (fields["id"], fields["entry"]) == ("rtwidgets-scan", "rtwidgets scan")
    assert (fields["language"], fields["types"]) == ("python", "[jupyter]")
