"""What people read. Some of it was said by others, and nothing of that speaks to a terminal."""

import sys
from typing import TextIO


def say(line: str, to: TextIO | None = None) -> None:
    """One line, to standard output if not *to* another; what is no letter or sign is a `?`."""
    print("".join(char if char.isprintable() else "?" for char in line), file=to or sys.stdout)
