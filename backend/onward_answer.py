"""What a party answered, as far as it can be made out; pure."""

from dataclasses import dataclass

from backend.onward_json import Json, parts, word

# FHIR R4, IssueType: what else a server puts there may quote what it was sent.
CODES = frozenset(
    (
        *("invalid", "structure", "required", "value", "invariant", "security", "login"),
        *("unknown", "expired", "forbidden", "suppressed", "processing", "not-supported"),
        *("duplicate", "multiple-matches", "not-found", "deleted", "too-long", "code-invalid"),
        *("extension", "too-costly", "business-rule", "conflict", "transient", "lock-error"),
        *("no-store", "exception", "timeout", "incomplete", "throttled", "informational"),
    )
)


@dataclass(frozen=True, slots=True)
class Answer:
    """`body`: None if it was not a JSON object, whole; `why`: it was not looked at."""

    status: int
    body: Json | None
    why: str = ""

    @property
    def good(self) -> bool:
        return 200 <= self.status < 300

    def issues(self) -> list[Json]:
        """Of an OperationOutcome."""
        body = self.body or {}
        return parts(body, "issue") if word(body, "resourceType") == "OperationOutcome" else []

    def errors(self) -> list[Json]:
        return [issue for issue in self.issues() if word(issue, "severity") in {"error", "fatal"}]

    def __str__(self) -> str:
        """Its status and the codes of its errors: FHIR's own words, nobody's data."""
        codes = sorted(CODES & {word(issue, "code") for issue in self.errors()})
        named = f" ({', '.join(codes)})" if codes else ""
        return f"{self.status}{named}{f', {self.why}' if self.why else ''}"
