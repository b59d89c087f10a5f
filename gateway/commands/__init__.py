"""The verbs of `hjemgate`, one module per family; each is loaded when it is asked for."""
