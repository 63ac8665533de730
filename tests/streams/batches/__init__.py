"""The micro-batch transport, without a broker."""
