"""A network of connectors on one machine, to see a complete exchange; also used by the tests."""
