"""One object, under the same key at every attempt."""

import os
from urllib.parse import quote

import boto3

s3 = boto3.client("s3")
bucket = os.environ["BUCKET"]


def send(key, order, body, media_type, extension):
    name = f"orders/{order.shop}/{quote(order.number, safe='')}.{extension}"
    s3.put_object(Bucket=bucket, Key=name, Body=body, ContentType=media_type)
    return {"destination": f"s3://{bucket}/{name}"}
