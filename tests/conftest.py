"""Fixtures that many tests share. What only one folder needs belongs in that folder's conftest."""

from __future__ import annotations

from tests.kafka_fixture import kafka, prefix, private_kafka
from tests.model_fixture import base_model, chat_adapters, chat_base, embedder

__all__ = ["base_model", "chat_adapters", "chat_base", "embedder", "kafka", "prefix", "private_kafka"]
