"""Live updates: open pages learn within a second that something changed, by server-sent events.

What a transaction recorded is described once it has committed (`announcer`), carried to every web
process (`relay`: in memory for one, through Redis for several), and sent on to the streams that
asked for it (`streams`). A message says that something changed and where, so that a page reads it
again; a lost message costs freshness, never truth.
"""

from marketplace.kernel.live.announcer import Announcer, Change, Describer
from marketplace.kernel.live.relay import Relay
from marketplace.kernel.live.service import Live, live_of
from marketplace.kernel.live.stopping import end_within, when_stopping
from marketplace.kernel.live.streams import EventStream, Streams

__all__ = [
    "Announcer",
    "Change",
    "Describer",
    "EventStream",
    "Live",
    "Relay",
    "Streams",
    "end_within",
    "live_of",
    "when_stopping",
]
