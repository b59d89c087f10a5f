"""The other end, a reference: what a receiving system must do. Shares gateway.contract alone."""
