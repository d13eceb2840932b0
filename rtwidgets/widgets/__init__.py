"""What a notebook shows: the chat, and the tables and controls it is made of.

Everything here needs ipywidgets and anywidget; `import rtwidgets` does not load it.

    page  packing  comm         what goes into a page; the one thread that sends to it
    fallback                    what stands there for readers without a kernel
    status  controls  choices   how it stands, Start and Talk, what is chosen before
    standing  hints  sessions   the same in words; what to do next; one session after another
    narration  calls            what was said; how a call of a tool reads
    lines  transcript           how an item reads; all of it, line by line
    voice  interruption         sound in the page; what was not heard of it
    microphone  takes           sound from the page; one held press of Talk
    talking  turntaking         who talks when, and how a turn ends
    promptness  pace            threads take turns sooner while somebody speaks; pages later
    presence  recorder          whether it is shown; a recorded note is made
    clips  delivery             read, handed over
    voicenote  snapshot         a spoken note, a picture
    eventtable  timeline        every event; in time
    meter  comparison  doctor   what it costs; openings side by side; what works here
    hands  working  trouble     work for the session's loop, and what fails there
    keeping  files              a conversation that outlasts its page, and as files
    panels  parts  presenter    what opens below; all of it together, and at work
    audience  chat              whether a page shows it; what a person holds: `RealtimeChat`
"""

from __future__ import annotations
