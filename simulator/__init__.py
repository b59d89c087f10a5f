"""Virtual meters and a virtual home on full Bluetooth stacks (Bumble). Never in the package.

Two kinds of entry point lead here, both loaded by name and only where this directory is:

* `hjemgate.radio`: a radio for the gateway (see `gateway.radio.plugin.Plugin`).
* `hjemgate.commands`: a command of `hjemgate`. It names an object with `name: str`, `help: str`,
  `add_arguments(parser: argparse.ArgumentParser) -> None` and
  `run(args: argparse.Namespace) -> int`, which returns the exit status.
"""
