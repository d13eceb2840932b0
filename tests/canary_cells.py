"""The cells through which a key goes: every feature that is given it, every way to fail with it.

The key is in the environment alone (`OPENAI_API_KEY`, `CANARY`): no cell names it, so that
whatever shows it later is the program's doing.
"""

from __future__ import annotations

START = """
import logging, os, sys, asyncio, traceback
import rtwidgets as rt
logging.basicConfig(level=logging.DEBUG, stream=sys.stdout, force=True)
sim = rt.Simulator(latency="none", in_process=True).start()
wrong = lambda: rt.Endpoint(sim.url, key=os.environ["CANARY"])
right = rt.Endpoint(sim.url, key=sim.key, headers={"X-Canary": os.environ["CANARY"]}, name="Right")
def told(work):
    # As a crash reporter would write it down: with every variable of every frame.
    try:
        work()
    except Exception as problem:
        lines = traceback.TracebackException.from_exception(problem, capture_locals=True).format()
        print("".join(lines))
"""

CHAT = """
chat = rt.RealtimeChat(opening=rt.SpokenGreeting("Welcome!"), endpoint=right)
chat
"""

FAILING_CHAT = """
failing = rt.RealtimeChat(endpoint=wrong())
display(failing)
failing.start()
try:
    failing.wait(20)
except rt.RealtimeError as problem:
    print(repr(problem))
"""

CELLS = [
    START,
    CHAT,
    "chat.start(); chat.wait(30); chat.say('hello'); chat.wait(30); chat.stop()",
    FAILING_CHAT,
    "rt.RealtimeChat(endpoint=rt.OpenAI())",
    "rt.RealtimeChat()",
    "rt.OpenAI(), wrong(), right, [wrong()], {'key': wrong()}, vars(wrong()), vars(rt.OpenAI())",
    """
def enter(endpoint, **settings):
    with rt.Session(endpoint, budget=1, timeout=5, **settings) as session:
        session.ask("hello")
told(lambda: enter(wrong()))
told(lambda: enter(rt.OpenAI()))
told(lambda: enter(right, model="gpt-nope"))
told(lambda: enter(right, voice="nobody"))
told(lambda: enter(rt.Endpoint("ws://127.0.0.1:9/", key=os.environ["CANARY"])))
told(lambda: enter(rt.Azure("r", "d", token=lambda: [][0])))
told(lambda: rt.OpenAI(os.environ["CANARY"]))
told(lambda: rt.OpenAI(key=os.environ["CANARY"] + "…"))
told(lambda: rt.Endpoint("ws://127.0.0.1:9/?api-key=" + os.environ["CANARY"]))
told(lambda: rt.mint(2, endpoint=wrong()))
told(lambda: rt.mint(2, endpoint=rt.Endpoint("ws://127.0.0.1:9/", key=os.environ["CANARY"])))
told(lambda: rt.Session(rt.OpenAI()).open())
""",
    """
import pickle, copy, json
told(lambda: pickle.dumps(wrong()))
told(lambda: pickle.dumps(rt.AsyncSession(wrong(), budget=1)))
print(copy.deepcopy(wrong()), json.dumps(wrong(), default=repr), f"{wrong()!r:>40}")
""",
    """
with rt.Session(right, rt.ModelGreeting()) as session:
    session.ask("What did you say first?")
    session.send({"type": "nonsense"}); session.wait_for("error", timeout=5)
log = session.log
log.to_jsonl("log.jsonl"); log.redact().to_jsonl("redacted.jsonl")
log.redact(text=True).to_jsonl("no_text.jsonl")
log.to_dataframe().to_csv("log.csv"); log.turns().to_dataframe().to_csv("turns.csv")
print(log, repr(log), log.turns(), log.items(), log.responses(), log.usage())
print(session, vars(session), vars(session.asynchronous))
log
""",
    "log.show()",
    """
login = {"authorization": os.environ["CANARY"], "headers": {"X-Key": os.environ["CANARY"] + "/x"}}
tool = {"type": "mcp", "server_label": "museum", "server_url": "https://127.0.0.1:9/", **login}
with rt.Session(right, rt.WaitForUser()) as session:
    session.send({"type": "session.update", "session": {"type": "realtime", "tools": [tool]}})
    session.wait_for("session.updated", timeout=5)
session.log.append("server", {"type": "session.created", "session": {"tools": [tool],
    "client_secret": {"value": "ek_" + os.environ["CANARY"][3:]}}})
session.log.append("server", {"type": "error", "error": {"message": os.environ["CANARY"]}})
session.log.append("client", json.dumps({"tools": [tool]}, indent=2)[:-4])
session.log.to_jsonl("logins.jsonl"); session.log.to_jsonl("logins.jsonl.gz")
session.log.redact().to_jsonl("no_logins.jsonl")
print(*(row.json() for row in session.log if row.type != "error"))
""",
    """
lines = rt.Simulator(latency="none", in_process=True, faults=["drop-after=14"]).start()
falls = rt.Endpoint(lines.url, key=lines.key, headers={"X-Canary": os.environ["CANARY"]})
class OneAfterTheOther(rt.Endpoint):
    next = iter([falls, wrong(), falls, right])
    async def open(self, model=None, timeout=30.0):
        return await next(self.next).open(model, timeout)
def go_on(endpoint=OneAfterTheOther(sim.url, key=os.environ["CANARY"])):
    session = rt.Session(endpoint, rt.ModelGreeting(), timeout=20)
    try:
        with session:
            session.ask("Still there?")
    finally:
        print(session.log, session.log.turns(), vars(session.asynchronous))
told(go_on); told(go_on)
lines.close()
""",
    """
comparison = rt.compare([rt.ScriptedGreeting("Hi."), rt.ModelGreeting()], 1, [right, wrong()])
comparison.to_html("comparison.html"); comparison.save("comparison")
print(comparison, repr(comparison))
comparison
""",
    "secrets = rt.mint(3, endpoint=rt.Endpoint(sim.url, key=sim.key)); secrets",
    "rt.doctor(wrong(), timeout=3)",
    "told(lambda: rt.doctor(rt.OpenAI(), timeout=3).wait(20))",
    "%xmode Verbose",
    "enter(wrong())",
    "rt.OpenAI(key=os.environ['CANARY'] + '…')",
    "rt.mint(1, endpoint=wrong())",
    "%tb",
    "chat",
    "sim.close()",
]
"""Some raise, as a person's cells do: they are run with errors allowed."""
