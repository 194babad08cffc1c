"""All rows, in the order in which they are run. Each returns one outcome or several that come of the same runs."""

from . import live, pauses, stored

ROWS = {
    "ring-linger20": live.ring_linger20,
    "ring-receipts": live.ring_receipts,
    "ring-linger0": live.ring_linger0,
    "ring-deep": live.ring_deep,
    "offline": stored.offline,
    "drain": stored.drain,
    "group": live.group,
    "latency": live.latency,
    "memory": stored.memory,
    "expiry": pauses.expiry,
    "reconnect": stored.reconnect,
    "pause": pauses.pause,
}
