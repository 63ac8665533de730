"""Transactions with offsets, one after the other, for each partition: `… offsets_process BOOTSTRAP IN OUT PARTITIONS`.

`SECONDS` stands for the calls' limits, which are longer in service.
"""

from __future__ import annotations

import logging
import sys
from threading import Thread

from confluent_kafka import TopicPartition

from teachback.schemas import offsets
from teachback.schemas.wire import Cluster, consumer, producer

SECONDS = 3.0


def work(bootstrap: str, source: str, target: str, partition: int) -> None:
    cluster = Cluster(bootstrap=bootstrap)
    group = consumer(cluster, "offsets").consumer_group_metadata()
    writer = producer(cluster, {"transactional.id": f"offsets-{partition}", "transaction.timeout.ms": 10_000})
    writer.init_transactions(30)
    for place in range(1, 1_000_000):
        writer.begin_transaction()
        writer.produce(target, b"x" * 100)
        offsets.send_offsets(writer, [TopicPartition(source, partition, place)], group, SECONDS)
        writer.commit_transaction(30)


def main(bootstrap: str, source: str, target: str, partitions: str) -> None:
    logging.basicConfig()
    offsets.GRACE = 1.0
    threads = [Thread(target=work, args=(bootstrap, source, target, number)) for number in range(int(partitions))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main(*sys.argv[1:])
