"""An error that nobody foresaw, in words: its kind and its place, nothing of what was handled."""

import traceback
from pathlib import Path

HERE = Path(__file__).parent


def words(error: Exception) -> str:
    """The text of the error itself may quote a reading."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if HERE in Path(frame.filename).parents]
    kind = type(error).__name__
    if not ours:
        return f"a fault of this receiver ({kind})"
    name = Path(ours[-1].filename).relative_to(HERE.parent)
    return f"a fault of this receiver ({kind} at {name}, line {ours[-1].lineno})"
