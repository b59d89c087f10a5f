"""A Record to a FHIR R4 transaction Bundle. Pure, but for the gate that parses the result."""
