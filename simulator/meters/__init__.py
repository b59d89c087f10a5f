"""Virtual meters: one module per kind, each on a full Bluetooth stack of its own."""
