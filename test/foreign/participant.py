"""Awards loyalty points, and vouchers to those who have enough of them: a participant in Python.

It shows all that Parcomolo asks of whoever answers commands (sagas/README.md, "Writing a participant in any
language"), and knows nothing of sagas. Whatever fails ends the process; started again, it goes on where it was.
"""

import json
import os
import signal
import sqlite3
import sys
from functools import cache

from confluent_kafka import Consumer, KafkaException, Producer
from confluent_kafka.schema_registry import SchemaRegistryClient, topic_record_subject_name_strategy
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

BROKERS = os.environ["KAFKA_BROKERS"]
PREFIX = os.environ.get("KAFKA_PREFIX", "")
INBOX = PREFIX + "loyalty-commands"
EVENTS = PREFIX + "loyalty-events"
VOUCHER_FROM = 100

registry = SchemaRegistryClient({"url": os.environ["SCHEMA_REGISTRY_URL"]})
decode = AvroDeserializer(registry)


def award_points(db, command):
    order, customer, points = command["orderId"], command["customerId"], command["points"]
    if db.execute("SELECT 1 FROM points WHERE order_id = ? AND revoked", (order,)).fetchone():
        return "PointsClosed", {"orderId": order}  # its undo has been here before it
    db.execute("INSERT OR IGNORE INTO points VALUES (?, ?, ?, FALSE)", (order, customer, points))
    owned = db.execute("SELECT SUM(points) FROM points WHERE customer_id = ? AND NOT revoked", (customer,))
    return "PointsAwarded", {"orderId": order, "points": points, "balance": owned.fetchone()[0]}


def revoke_points(db, command):
    order = command["orderId"]
    row = db.execute("SELECT points FROM points WHERE order_id = ?", (order,)).fetchone()
    # A row is written also where nothing was awarded: so an award that comes later is refused.
    db.execute("INSERT INTO points VALUES (?, '', 0, TRUE) ON CONFLICT DO UPDATE SET revoked = TRUE", (order,))
    return "PointsRevoked", {"orderId": order, "points": row[0] if row else 0}


def issue_voucher(db, command):
    order, balance = command["orderId"], command["balance"]
    if balance < VOUCHER_FROM:
        return "TooFewPoints", {"orderId": order, "missing": VOUCHER_FROM - balance}
    return "VoucherIssued", {"orderId": order, "code": f"THANKS-{order[-6:]}"}


HANDLERS = {"AwardPoints": award_points, "RevokePoints": revoke_points, "IssueVoucher": issue_voucher}


def answer(db, command_id, handler, command):
    """Effect and answer are stored in one transaction; a command that comes again gets the same answer."""
    with db:
        known = db.execute("SELECT record, fields FROM answers WHERE command_id = ?", (command_id,)).fetchone()
        if known:
            return known[0], json.loads(known[1])
        record, fields = handler(db, command)
        db.execute("INSERT INTO answers VALUES (?, ?, ?)", (command_id, record, json.dumps(fields)))
        return record, fields


@cache
def encoder(record):
    """Parcomolo has registered each record of the contract as TopicRecordName has it: <topic>-<full name>."""
    schema = registry.get_latest_version(f"{EVENTS}-example.loyalty.{record}").schema
    conf = {"auto.register.schemas": False, "subject.name.strategy": topic_record_subject_name_strategy}
    return AvroSerializer(registry, schema, conf=conf)


def reply(producer, key, command_id, record, fields):
    headers = {
        "ce_specversion": "1.0",
        "ce_id": f"{command_id}/reply",
        "ce_type": record,
        "ce_source": "/loyalty",
        "ce_causationid": command_id,  # the one header that Parcomolo needs: which command this answers
    }
    value = encoder(record)(fields, SerializationContext(EVENTS, MessageField.VALUE))
    producer.produce(EVENTS, value, key, headers=headers, on_delivery=delivered)
    producer.flush()


def delivered(error, _message):
    if error:
        raise KafkaException(error)


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    db = sqlite3.connect(os.environ.get("LOYALTY_DATABASE", "loyalty.sqlite"))
    db.execute("CREATE TABLE IF NOT EXISTS points (order_id PRIMARY KEY, customer_id, points, revoked)")
    db.execute("CREATE TABLE IF NOT EXISTS answers (command_id PRIMARY KEY, record, fields)")
    producer = Producer({"bootstrap.servers": BROKERS, "enable.idempotence": True})
    group = {"group.id": PREFIX + "loyalty", "session.timeout.ms": 6000, "auto.offset.reset": "earliest"}
    with Consumer({"bootstrap.servers": BROKERS, "enable.auto.commit": False} | group) as consumer:
        consumer.subscribe([INBOX])
        while True:
            message = consumer.poll(1.0)
            if message is None:
                continue
            if message.error():
                raise KafkaException(message.error())
            headers = {name: value.decode() for name, value in message.headers() or []}
            handler = HANDLERS.get(headers.get("ce_type"))
            if handler:  # anything else is no command of ours, and holds nothing up
                command = decode(message.value(), SerializationContext(INBOX, MessageField.VALUE))
                record, fields = answer(db, headers["ce_id"], handler, command)
                reply(producer, message.key(), headers["ce_id"], record, fields)
                print(json.dumps([headers, command, record, fields]), flush=True)
            consumer.commit(message, asynchronous=False)


main()
