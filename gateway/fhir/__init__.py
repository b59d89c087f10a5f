"""A Record to a FHIR R4 transaction Bundle. Pure, but for the gate that parses the result."""

from gateway.fhir.bundle import announcement, render
from gateway.fhir.errors import RenderError

__all__ = ["RenderError", "announcement", "render"]
