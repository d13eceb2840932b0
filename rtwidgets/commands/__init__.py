"""What `rtwidgets` does in a terminal, a command a module: `add` says how it is called.

    log        a recorded log: as a table, its turns, its cost, its difference to another
    compare    openings side by side
    doctor     what this machine and its servers can do
    scan       keys that stand in notebooks

A module imports what it needs when it runs, so that `rtwidgets --help` answers at once.
"""
