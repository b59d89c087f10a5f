"""The other end of the control socket, for commands. Blocking, and quick to import."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

ANSWER_S = 30.0  # the daemon answers from its tables; longer means that it hangs
EX_UNAVAILABLE = 69
NOT_RUNNING = "start it with `systemctl start hjemgate`, or with `hjemgate run`"


class ClientError(Exception):
    """No answer, or a refusal; the text is for whoever gave the command."""

    def __init__(self, words: str, code: int) -> None:
        super().__init__(words)
        self.code = code  # exit status


class Client:
    """One conversation with the daemon: `with Client(path) as client: client.ask(...)`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)

    def __enter__(self) -> Self:
        self._socket.settimeout(ANSWER_S)
        try:
            self._socket.connect(str(self._path))
        except PermissionError as error:
            self._socket.close()
            words = f"{self._path}: only root and the gateway's own user may ask: use sudo"
            raise ClientError(words, EX_UNAVAILABLE) from error
        except OSError as error:
            self._socket.close()
            words = f"the gateway is not running ({self._path}: {error.strerror}): {NOT_RUNNING}"
            raise ClientError(words, EX_UNAVAILABLE) from error
        self._lines = self._socket.makefile("rb")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._lines.close()
        self._socket.close()

    def ask(self, do: str, **details: object) -> dict[str, Any]:
        """The daemon's answer. Raises ClientError."""
        question = {"do": do} | {key: value for key, value in details.items() if value is not None}
        try:
            self._socket.sendall(json.dumps(question).encode() + b"\n")
        except OSError as error:
            raise ClientError(f"the gateway hung up: {NOT_RUNNING}", EX_UNAVAILABLE) from error
        answer = self._line()
        if answer is None:
            raise ClientError(f"the gateway ended: {NOT_RUNNING}", EX_UNAVAILABLE)
        if answer.get("ok") is not True:
            raise ClientError(str(answer.get("error")), int(answer.get("exit", 1)))
        return answer

    def steps(self, after: int | None = None) -> Iterator[dict[str, Any]]:
        """The answer to `watch`, and then what happens, for as long as the daemon runs."""
        yield self.ask("watch", after=after)
        self._socket.settimeout(None)
        while (line := self._line()) is not None:
            yield line["step"]

    def _line(self) -> dict[str, Any] | None:
        try:
            line = self._lines.readline()
        except TimeoutError as error:
            words = f"the gateway does not answer within {ANSWER_S:.0f} s: see its log"
            raise ClientError(words, EX_UNAVAILABLE) from error
        except OSError:
            return None
        return json.loads(line) if line.endswith(b"\n") else None
