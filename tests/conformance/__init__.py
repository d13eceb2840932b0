"""Other people's clients, unmodified, against `rtwidgets serve`, and our own sessions against other
people's servers: `make conformance`.

A module imports only from modules printed above it.

    clients.py         which clients, which versions: the one table
    hosts.py           which servers, which versions: the other table
    environments.py    a folder of its own for each
    relay.py           between client and simulator, writing everything down
    order.py           in what order the real server sends
    judging.py         what a run has shown
    visiting.py        our sessions with a server, and what that has shown
    serving.py         runs a server, lets our sessions visit it, and prints a table
    talks/             one small script a client: the same conversation, in that client's words
    servers/           one small script a server: starts it and prints its address
    .ci/conformance.py runs them and prints the tables
"""
