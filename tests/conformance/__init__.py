"""Other people's clients, unmodified, against `rtwidgets serve`: `make conformance`.

A module imports only from modules printed above it.

    clients.py         which clients, which versions: the one table
    environments.py    a folder of its own for each
    relay.py           between client and simulator, writing everything down
    order.py           in what order the real server sends
    judging.py         what a run has shown
    talks/             one small script a client: the same conversation, in that client's words
    .ci/conformance.py runs them and prints the table
"""
