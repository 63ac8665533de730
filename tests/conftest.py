"""Fixtures that many tests share. What only one folder needs belongs in that folder's conftest."""

from __future__ import annotations

from tests.kafka_fixture import kafka, prefix, private_kafka

__all__ = ["kafka", "prefix", "private_kafka"]
