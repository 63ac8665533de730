"""Fixtures of the producers that the command's tests share."""

from tests.producers.conftest import broker

__all__ = ["broker"]
