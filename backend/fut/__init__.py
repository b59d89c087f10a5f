"""To FUT, the Danish shared telemedicine infrastructure. See docs/fut.md."""
