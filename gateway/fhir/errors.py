"""The one error of this room."""


class RenderError(ValueError):
    """This reading cannot be said in FHIR; a human must look at it.

    The text names the element, never a measured value or a person.
    """
