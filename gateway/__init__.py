"""The daemon in the home: Bluetooth in, a durable outbox, FHIR over MQTT out."""
