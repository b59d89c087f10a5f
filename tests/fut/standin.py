"""A stand-in for FUT, from its published operation definitions, examples and error texts.

It serves `$get-patient-procedures`, ActivityDefinitions, `$submit-measurement`, the search of
Observations, `$set-measurement-validity` and a token endpoint. It refuses what FUT says that it
refuses, stores a submission whole or not at all, and takes a repeat for a second measurement, as
FUT does. It can be told to make trouble.
"""

import json
import ssl
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

from tests.fut.plans import CAREPLAN, EPISODE, PATIENT, Row, answer
from tests.fut.refusals import TEXTS, invalid, refusal

Json = dict[str, Any]


@dataclass
class Fut:
    """What it knows, what it was sent, and the trouble that it makes with the next submissions.

    Trouble: a status; (status, body); `silent` (stored, no answer), `deaf` (not stored, no
    answer), `half` (stored, half an answer), `torn` (stored, a cut body that claims to be whole),
    ("late", status, body): stored, and refused after that; or the name of a published error.
    """

    rows: Sequence[Row] = ()
    trouble: list[Any] = field(default_factory=list)
    plan_trouble: list[Any] = field(default_factory=list)  # the same, of the other servers
    definition_trouble: list[Any] = field(default_factory=list)
    task_trouble: list[Any] = field(default_factory=list)
    search_trouble: list[Any] = field(default_factory=list)
    token_trouble: list[Any] = field(default_factory=list)
    keeps: str = "all"  # or "no identifier", "a period", "the minute"
    wants_token: bool = False
    good_token: str = "token-1"  # noqa: S105 -- nobody's
    stored: list[Json] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)
    asked: list[Json] = field(default_factory=list)
    token_forms: list[dict[str, str]] = field(default_factory=list)
    submissions: list[Json] = field(default_factory=list)
    base: str = ""

    @property
    def codes(self) -> list[str]:
        """The first code of each stored Observation."""
        return [each["code"]["coding"][0]["code"] for each in self.stored]

    def renew(self) -> None:
        """The tokens that it gave are worth nothing any more."""
        self.good_token += "+"

    def plan(self, asked: Json) -> Json:
        self.asked.append(asked)
        named = {p["name"]: p for p in asked["parameter"]}
        assert {"patient", "start", "end"} <= set(named)
        patient = named["patient"]["valueReference"]["reference"]
        rows = [r for r in self.rows if r.patient == patient and r.status == "active"]
        return answer(rows, self.base)

    def definition(self, name: str) -> tuple[int, Json]:
        """Without a code where the order alone has one."""
        row = next((each for each in self.rows if each.request == name), None)
        if row is None:
            return 404, {}
        found: Json = {"resourceType": "ActivityDefinition", "id": name}
        if row.definition is not None:
            system, code = row.definition
            found["code"] = {"coding": [{"system": system, "code": code}]}
        return 200, found

    def invalidate(self, parameters: Json) -> tuple[int, Json]:
        name = invalid(parameters)
        stored = None if name is None else self.stored[int(name) - 1]
        if stored is None or stored["status"] == "entered-in-error":
            return 422, outcome("TASK_MEASUREMENT_VALIDITY_INVALID_MEASUREMENT_REFERENCE")
        stored["status"] = "entered-in-error"
        return 200, {"resourceType": "ClinicalImpression", "id": "1"}

    def submit(self, parameters: Json) -> tuple[int, Json]:
        self.submissions.append(parameters)
        refused = refusal(parameters, self.rows)
        if refused is not None:
            return 422, outcome(refused)
        (parameter,) = parameters["parameter"]
        entries = parameter["resource"]["entry"]
        done = []
        for entry in entries:
            self.stored.append(entry["resource"])
            place = f"{self.base}/Observation/{len(self.stored)}/_history/1"
            done.append({"response": {"status": "201 Created", "location": place, "etag": "1"}})
        return 200, {"resourceType": "Bundle", "type": "transaction-response", "entry": done}

    def search(self, query: dict[str, str]) -> Json:
        moment = datetime.fromisoformat(query["date"].removeprefix("eq"))
        found = [
            each
            for each in self.stored
            if each["subject"]["reference"] == query["patient"]
            and datetime.fromisoformat(each["effectiveDateTime"]) == moment
            and each["basedOn"][0]["reference"] == query["based-on"]
            and query["code"] in {f"{c['system']}|{c['code']}" for c in each["code"]["coding"]}
        ]
        entries = [{"resource": {**self._kept(e), **self._given(e)}} for e in found]
        return {
            "resourceType": "Bundle",
            "type": "searchset",
            "total": len(found),
            "entry": entries,
        }

    def _given(self, observation: Json) -> Json:
        """What FUT gives to each that it stores."""
        (number,) = (n for n, each in enumerate(self.stored, 1) if each is observation)
        version = "2" if observation["status"] == "entered-in-error" else "1"
        return {"id": str(number), "meta": {"versionId": version}}

    def _kept(self, observation: Json) -> Json:
        """What it shows of what it was sent; nobody has said what FUT keeps."""
        moment = observation["effectiveDateTime"]
        shown = {name: value for name, value in observation.items() if name != "identifier"}
        match self.keeps:
            case "all":
                return observation
            case "a period":
                del shown["effectiveDateTime"]
                return {**shown, "effectivePeriod": {"start": moment, "end": moment}}
            case "the minute":
                return {**observation, "effectiveDateTime": f"{moment[:16]}:00{moment[19:]}"}
        return shown


def outcome(name: str) -> Json:
    """As FUT says: the text stands in `diagnostics`."""
    issue = {"severity": "error", "code": "processing", "diagnostics": TEXTS[name]}
    return {"resourceType": "OperationOutcome", "issue": [issue]}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    fut: Fut

    def log_message(self, *_: object) -> None:
        """Quiet."""

    def do_GET(self) -> None:
        kind, name = self.path.rsplit("/", 2)[-2:]
        assert kind == "ActivityDefinition"
        self.fut.calls[kind] += 1
        if self._unknown():
            return self._answer(401, outcome("SECURITY_TOKEN_CONTEXT_MISSING"))
        if self.fut.definition_trouble:
            return self._trouble(self.fut.definition_trouble.pop(0))
        return self._answer(*self.fut.definition(name))

    def _unknown(self) -> bool:
        wanted = f"Bearer {self.fut.good_token}"
        return self.fut.wants_token and self.headers.get("Authorization") != wanted

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        what = self.path.rsplit("/", 1)[-1]
        self.fut.calls[what] += 1
        if what == "token":
            form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
            self.fut.token_forms.append(form)
            if self.fut.token_trouble:
                return self._trouble(self.fut.token_trouble.pop(0))
            told = {"access_token": self.fut.good_token, "expires_in": 300}
            return self._answer(
                200, {**told, "refresh_token": f"refresh-{len(self.fut.token_forms)}"}
            )
        if self._unknown():
            return self._answer(401, outcome("SECURITY_TOKEN_CONTEXT_MISSING"))
        if what == "$get-patient-procedures":
            if self.fut.plan_trouble:
                return self._trouble(self.fut.plan_trouble.pop(0))
            return self._answer(200, self.fut.plan(json.loads(body)))
        if what == "_search":
            if self.fut.search_trouble:
                return self._trouble(self.fut.search_trouble.pop(0))
            query = {name: values[0] for name, values in parse_qs(body.decode()).items()}
            return self._answer(200, self.fut.search(query))
        if what == "$set-measurement-validity":
            return self._done(self.fut.task_trouble, self.fut.invalidate, json.loads(body))
        assert what == "$submit-measurement"
        return self._done(self.fut.trouble, self.fut.submit, json.loads(body))

    def _done(
        self,
        troubles: list[Any],
        do: Callable[[Json], tuple[int, Json]],
        parameters: Json,
    ) -> None:
        trouble = troubles.pop(0) if troubles else None
        late = isinstance(trouble, tuple) and trouble[0] == "late"
        if (isinstance(trouble, int | tuple) and not late) or trouble == "deaf":
            return self._trouble(trouble)
        if isinstance(trouble, str) and trouble in TEXTS:
            return self._answer(403 if "SECURITY" in trouble else 422, outcome(trouble))
        status, told = do(parameters)
        match trouble:
            case ("late", status, told):
                trouble = None
        if trouble == "silent":
            return self._hang_up()
        return self._answer(status, told, cut=trouble)

    def _trouble(self, trouble: Any) -> None:
        """Without any effect."""
        match trouble:
            case int():
                self._answer(trouble, {})
            case (status, what):
                self._answer(status, what)
            case "half":
                self._answer(200, {"resourceType": "Bundle"}, cut="half")
            case _:
                self._hang_up()

    def _hang_up(self) -> None:
        self.close_connection = True

    def _answer(self, status: int, told: Json | bytes, cut: str | None = None) -> None:
        body = told if isinstance(told, bytes) else json.dumps(told).encode()
        whole = len(body)
        if cut is not None:
            body = body[: whole // 2]
        self.send_response(status)
        self.send_header("Content-Type", "application/fhir+json; charset=UTF-8")
        self.send_header("Content-Length", str(whole if cut == "half" else len(body)))
        self.end_headers()
        self.wfile.write(body)
        if cut == "half":
            self.close_connection = True


@contextmanager
def running(fut: Fut, tls: ssl.SSLContext | None = None) -> Iterator[Fut]:
    handler = type("Handler", (_Handler,), {"fut": fut})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        if tls is not None:
            server.socket = tls.wrap_socket(
                server.socket, server_side=True, do_handshake_on_connect=False
            )
        scheme = "http" if tls is None else "https"
        fut.base = f"{scheme}://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), name="FUT")
        thread.start()
        try:
            yield fut
        finally:
            server.shutdown()
            thread.join()


__all__ = ["CAREPLAN", "EPISODE", "PATIENT", "Fut", "Row", "running"]
