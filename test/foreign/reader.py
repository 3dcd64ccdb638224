"""Prints what stands in topics, a line of JSON for each record: reader.py TOPIC..."""

import json
import os
import sys
from uuid import uuid4

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext

registry = SchemaRegistryClient({"url": os.environ["SCHEMA_REGISTRY_URL"]})
decode = AvroDeserializer(registry)


def record_of(message):
    schema_id = int.from_bytes(message.value()[1:5], "big")
    return json.loads(registry.get_schema(schema_id).schema_str)["name"]


def shown(message):
    return {
        "topic": message.topic(),
        "partition": message.partition(),
        "offset": message.offset(),
        "key": message.key().decode(),
        "headers": {name: value.decode() for name, value in message.headers() or []},
        "record": record_of(message),
        "value": decode(message.value(), SerializationContext(message.topic(), MessageField.VALUE)),
    }


def main(topics):
    servers = {"bootstrap.servers": os.environ["KAFKA_BROKERS"], "group.id": f"reader-{uuid4()}"}
    with Consumer(servers | {"enable.auto.commit": False, "enable.partition.eof": True}) as consumer:
        known = consumer.list_topics().topics
        partitions = [TopicPartition(t, p, OFFSET_BEGINNING) for t in topics for p in known[t].partitions]
        consumer.assign(partitions)
        ends = 0
        while ends < len(partitions):
            message = consumer.poll()
            if message.error() is None:
                # What of bytes has no place in JSON is shown by its characters.
                print(json.dumps(shown(message), default=lambda value: value.decode("latin-1")))
            elif message.error().code() == KafkaError._PARTITION_EOF:
                ends += 1
            else:
                raise KafkaException(message.error())


main(sys.argv[1:])
