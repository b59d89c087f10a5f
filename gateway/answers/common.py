"""What the answers have in common."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any

from gateway import questions
from gateway.config import Config
from gateway.model import Patient
from gateway.questions import Question

Answer = dict[str, Any]
Handler = Callable[[Question], Awaitable[Answer]]
Handlers = Mapping[str, Handler]


def patient(question: Question, config: Config) -> Patient:
    """Whoever is named in *question*. Raises Unanswerable."""
    fhir = config.fhir
    whose = questions.patient(question, logical=fhir.patient_reference == "logical")
    return Patient(fhir.patient_system, whose, fhir.patient_reference)


def iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
