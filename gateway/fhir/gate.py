"""A second opinion before a Bundle is stored: does fhir.resources read it?

A parse, not a validation: it knows structure and types, neither profiles nor code lists. Its R4B
models accept the R4 that we write.
"""

from gateway.fhir.errors import RenderError


def load() -> None:
    """Load the models, which takes its time: once, before anything is in hand."""
    import fhir.resources.R4B.bundle  # noqa: F401, PLC0415 -- memory, see below


def parse(body: bytes) -> None:
    """Raises RenderError, which names the elements and quotes nothing of what stands in them."""
    # 25 MiB of models: only where and when the gate is used.
    from fhir.resources.R4B.bundle import Bundle  # noqa: PLC0415 -- memory, see above
    from pydantic import ValidationError  # noqa: PLC0415 -- fhir.resources brings it along

    try:
        Bundle.model_validate_json(body)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_context=False, include_input=False)
        text = "; ".join(f"{_path(fault['loc'])}: {fault['type']}" for fault in faults)
        raise RenderError(f"not FHIR: {text}") from None
    except (KeyError, TypeError) as error:  # so fhir.resources says that it knows no such resource
        raise RenderError("not FHIR: an unknown type of resource") from error


def _path(location: tuple[int | str, ...]) -> str:
    return ".".join(str(step) for step in location)
