"""A stand-in for a FHIR server: conditional transactions, and every way to fail at one."""

import json
import ssl
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote

Json = dict[str, Any]
NOTHING: Mapping[str, str] = {}
WITH_EFFECT = ("silent", "half", "torn", "short", "inside")  # trouble after it was stored


def outcome(code: str, severity: str = "error") -> Json:
    issue = {"severity": severity, "code": code, "diagnostics": "value 121 is wrong"}
    return {"resourceType": "OperationOutcome", "issue": [issue]}


@dataclass
class Server:
    """What it holds, by type and identifier; who called; the trouble that it makes next.

    Trouble: a status; (status, body); (status, body, headers); `silent` (stored, no answer),
    `deaf` (not stored, no answer), `half` (stored, half an answer), `torn` (stored, a cut body that
    claims to be whole), `short` (stored, one entry too few), `inside` (an entry says 422).
    """

    trouble: list[Any] = field(default_factory=list)
    token_trouble: list[Any] = field(default_factory=list)  # the same, of the token endpoint
    token: str = ""  # wanted, if any
    well: bool = True
    held: dict[tuple[str, str], Json] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)
    bodies: list[bytes] = field(default_factory=list)
    forms: list[dict[str, str]] = field(default_factory=list)
    encodings: set[str] = field(default_factory=set)  # in which callers take an answer
    base: str = ""

    def kinds(self) -> Counter[str]:
        return Counter(kind for kind, _ in self.held)

    def transaction(self, bundle: Json) -> Json:
        done = []
        for entry in bundle["entry"]:
            request, resource = entry["request"], entry["resource"]
            condition = request.get("ifNoneExist") or request["url"].partition("?")[2]
            key = (resource["resourceType"], unquote(condition))
            status = "200 OK" if key in self.held else "201 Created"
            if request["method"] == "PUT" or key not in self.held:
                self.held[key] = resource
            done.append({"response": {"status": status, "location": f"{key[0]}/1"}})
        return {"resourceType": "Bundle", "type": "transaction-response", "entry": done}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_of: Server

    def log_message(self, *_: object) -> None:
        """Quiet."""

    def do_GET(self) -> None:
        self._answer(200 if self.server_of.well else 500, {"resourceType": "CapabilityStatement"})

    def do_POST(self) -> None:
        told, path = self.server_of, self.path.rsplit("/", 1)[-1]
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        told.calls[path] += 1
        told.encodings.add(self.headers.get("Accept-Encoding", "none"))
        if path == "token":
            form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
            told.forms.append(form)
            if told.token_trouble:
                return self._trouble(told.token_trouble.pop(0))
            fresh = {"access_token": told.token, "token_type": "Bearer", "expires_in": 300}
            return self._answer(200, {**fresh, "refresh_token": f"refresh-{len(told.forms)}"})
        if told.token and self.headers.get("Authorization") != f"Bearer {told.token}":
            return self._answer(401, outcome("login"))
        told.bodies.append(body)
        trouble = told.trouble.pop(0) if told.trouble else None
        if trouble is not None and trouble not in WITH_EFFECT:
            return self._trouble(trouble)
        done = told.transaction(json.loads(body))
        match trouble:
            case "silent":
                self.close_connection = True
                return None
            case "short":
                done["entry"].pop()
            case "inside":
                done["entry"][-1]["response"]["status"] = "422 Unprocessable"
        return self._answer(200, done, cut=trouble)

    def _trouble(self, trouble: Any) -> None:
        """Without any effect."""
        match trouble:
            case int():
                self._answer(trouble, {})
            case (status, what):
                self._answer(status, what)
            case (status, what, headers):
                self._answer(status, what, headers=headers)
            case _:
                self.close_connection = True

    def _answer(
        self,
        status: int,
        told: Json | bytes,
        cut: str | None = None,
        headers: Mapping[str, str] = NOTHING,
    ) -> None:
        body = told if isinstance(told, bytes) else json.dumps(told).encode()
        whole = len(body)
        if cut in {"half", "torn"}:
            body = body[: whole // 2]
        self.send_response(status)
        self.send_header("Content-Type", "application/fhir+json")
        self.send_header("Content-Length", str(whole if cut == "half" else len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        if cut == "half":
            self.close_connection = True


class _Http(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is part of the test."""


@contextmanager
def running(server: Server, tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    handler = type("Handler", (_Handler,), {"server_of": server})
    with _Http(("127.0.0.1", 0), handler) as http:
        if tls is not None:
            http.socket = tls.wrap_socket(
                http.socket, server_side=True, do_handshake_on_connect=False
            )
        scheme = "http" if tls is None else "https"
        server.base = f"{scheme}://127.0.0.1:{http.server_address[1]}/fhir"
        thread = threading.Thread(target=http.serve_forever, args=(0.02,), name="FHIR server")
        thread.start()
        try:
            yield server
        finally:
            http.shutdown()
            thread.join()
