"""What `rtwidgets` does in a terminal, a command a module: `add` says how it is called.

A command is added to the parser by `add(commands)`; the module is small and imports what it needs
when it runs, so that `rtwidgets --help` answers at once.
"""
