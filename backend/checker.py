"""python -m backend.checker PARENT: a process that examines bodies, for a receiver, its parent.

Questions come by standard input, answers go to standard output. It ends with its receiver, however
that ends: by the signal for the death of a parent, and because nobody holds the pipe any more.
"""

import ctypes
import os
import signal
import sys
from typing import BinaryIO

from backend.examination import HEAD, answer, asked_by, examined
from backend.parse import load

READY = answer(())
PR_SET_PDEATHSIG = 1  # prctl(2)


def main() -> int:
    for number in (signal.SIGTERM, signal.SIGINT):  # told to a whole group; the receiver decides
        signal.signal(number, signal.SIG_IGN)
    _end_with(int(sys.argv[1]))
    load()
    serve(sys.stdin.buffer, sys.stdout.buffer)
    return 0


def serve(questions: BinaryIO, answers: BinaryIO) -> None:
    """Until nobody asks any more."""
    answers.write(READY)
    answers.flush()
    while len(head := questions.read(HEAD.size)) == HEAD.size:
        said, bodies = (questions.read(octets) for octets in HEAD.unpack(head))
        answers.write(answer([examined(each) for each in asked_by(said, bodies)]))
        answers.flush()


def _end_with(parent: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it was faster
        sys.exit(0)


if __name__ == "__main__":
    sys.exit(main())
