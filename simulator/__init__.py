"""Virtual meters and a virtual home on full Bluetooth stacks (Bumble). Never in the package."""
