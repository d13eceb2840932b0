"""A recorded session as an endpoint: `rtwidgets.Replay(path)`.

recording     what was recorded, and what each frame waits for
source        where it comes from, and the lines that it ran over
playing       the endpoint that plays it
"""

from .playing import Replay

__all__ = ["Replay"]
