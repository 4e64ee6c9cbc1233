"""The events of `events/` for the emulator: each file is the event of one invocation."""

import json
from pathlib import Path

from local.run.messages import EVENTS, event_files, event_messages

EVENT_FILES = tuple(file.name for file in event_files())


def fresh_events(suffix: str, events: Path = EVENTS) -> dict[str, bytes]:
    """Each file's event by the file's name, with `suffix` behind every client identifier."""
    bodies = iter(event_messages(suffix, events))
    fresh = {}
    for name in EVENT_FILES:
        event = json.loads((events / name).read_text())
        for record in event["Records"]:
            record["body"] = next(bodies).body
        fresh[name] = json.dumps(event).encode()
    return fresh
