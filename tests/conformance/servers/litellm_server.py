"""The LiteLLM proxy in front of one Realtime server, the simulator: `litellm_server.py URL`.

What a person would write into its config.yaml and start by `litellm --config`; it calls nowhere
else: its list of prices is the one in the package, and telemetry is off. Prints the address once it
is there, and among its own words.
"""

from __future__ import annotations

import os
import socket
import sys
import threading
import time
from pathlib import Path

CONFIG = """
model_list:
  - model_name: gpt-realtime-2.1
    litellm_params:
      model: openai/gpt-realtime-2.1
      api_base: {base}
      api_key: {key}
    model_info:
      mode: realtime
general_settings:
  master_key: {key}
"""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


def announce(port: int) -> None:
    """Say the address as soon as somebody answers there."""
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            print(f"\nws://127.0.0.1:{port}/v1/realtime", flush=True)
            return


def main() -> None:
    os.environ.update(LITELLM_LOCAL_MODEL_COST_MAP="True", LITELLM_TELEMETRY="False")
    base = sys.argv[1].removesuffix("/realtime").replace("ws://", "http://", 1)
    config, port = Path("config.yaml"), free_port()
    config.write_text(CONFIG.format(base=base, key=os.environ["OPENAI_API_KEY"]))
    from litellm import run_server

    threading.Thread(target=announce, args=(port,), daemon=True).start()
    where = ["--host", "127.0.0.1", "--port", str(port), "--telemetry", "False"]
    run_server.main(["--config", str(config), *where], standalone_mode=True)


main()
