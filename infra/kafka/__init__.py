"""A real Apache Kafka on one machine: its jars, its Java, its one node.

Reading order: `settings` (what a caller may choose), `jars` (where the code comes from), `java` (what runs it),
`server` (how the broker is configured), `identity` (what it remembers), `ready` (when it serves), `node` (start, stop).
"""
