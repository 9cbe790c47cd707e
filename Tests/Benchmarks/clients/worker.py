"""A plain worker: inserts each message and commits before it takes the next. It ends after COUNT messages.

    worker.py postgres|sqlite COUNT [AHEAD]

The messages are lines of stdin; with AHEAD, those of RabbitMQ's queue `jobs`, each acknowledged after its commit, with
AHEAD as the prefetch count.
"""
import itertools
import os
import sys


def connect(kind):
    if kind == "sqlite":
        import sqlite3
        return sqlite3.connect(os.environ["SQLITE_FILE"]), "INSERT INTO logs (id, data) VALUES (?, ?)"
    import psycopg2
    return psycopg2.connect(""), "INSERT INTO logs (id, data) VALUES (%s, %s)"


def messages(count, ahead):
    import pika
    with pika.BlockingConnection(pika.URLParameters(os.environ["RABBITMQ_URL"])) as broker:
        channel = broker.channel()
        channel.basic_qos(prefetch_count=ahead)
        for number, (method, properties, body) in enumerate(channel.consume("jobs"), 1):
            yield properties.message_id, body.decode()
            channel.basic_ack(method.delivery_tag)
            if number == count:
                return


def main(kind, count, ahead=None):
    connection, insert = connect(kind)
    cursor = connection.cursor()
    lines = itertools.islice(enumerate(sys.stdin), int(count))
    for key, data in messages(int(count), int(ahead)) if ahead else lines:
        cursor.execute(insert, (str(key), data))
        connection.commit()


if __name__ == "__main__":
    main(*sys.argv[1:])
