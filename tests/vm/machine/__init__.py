"""A virtual machine with Debian's kernel and Debian's bluetoothd, for `tests/vm` to run in."""
