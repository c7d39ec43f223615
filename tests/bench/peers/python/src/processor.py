"""Processor: takes each order of an SQS batch to its destination, once. Powertools reports the records that failed and
keeps in DynamoDB what has been delivered."""

import json
import os
from importlib import import_module
from urllib.parse import quote

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.idempotency import IdempotencyConfig, idempotent_function
from aws_lambda_powertools.utilities.idempotency.persistence.dynamodb import DynamoDBPersistenceLayer

from order import read_order

PIPELINE = "erp"

# A format or transport that is not in use is not loaded.
format = import_module(f"formats.{os.environ['FORMAT']}_format")
transport = import_module(f"transports.{os.environ['TRANSPORT']}_transport")

logger = Logger(service="processor")
processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
persistence = DynamoDBPersistenceLayer(table_name=os.environ["TABLE"])
config = IdempotencyConfig(event_key_jmespath="key")


@idempotent_function(data_keyword_argument="export", persistence_store=persistence, config=config)
def deliver(*, export, order):
    key = export["key"]
    body = format.render(order, PIPELINE)
    receipt = transport.send(key, order, body, format.MEDIA_TYPE, format.EXTENSION)
    logger.info(f"exported order {order.id} of {order.shop}", extra={"export": key})
    return receipt


def process_record(record):
    order = read_order(record.message_attributes["shop"].string_value, json.loads(record.body))
    key = f"{order.shop}:{quote(order.id, safe='')}:{PIPELINE}"
    try:
        deliver(export={"key": key}, order=order)
    except Exception:
        logger.exception(f"order {order.id} of {order.shop} is not exported", extra={"export": key})
        raise


@logger.inject_lambda_context
def handler(event, context):
    config.register_lambda_context(context)
    return process_partial_response(
        event=event, record_handler=process_record, processor=processor, context=context
    )
