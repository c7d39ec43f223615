#!/usr/bin/env python3
"""Makes the sample events from webhooks/ and secrets.json.

    python3 events/generate.py                       the events of this folder, with a fixed time
    python3 events/generate.py --now --out DIR       freshly signed, for a live stack

`intake-<platform>.json` is what API Gateway hands to the intake function, `processor.json` what SQS hands to the
processor, `responses-http.json` a back office's later answer. Run it after a change to webhooks/ or secrets.json; a test compares the events with the bodies.
"""

import argparse
import base64
import hashlib
import hmac
import json
import re
import time
import uuid
from datetime import datetime, timezone
from pathlib import Path

HERE = Path(__file__).resolve().parent
# The time at which the events of this folder were sent: 2026-08-01T12:00:00Z.
FIXED = 1785585600
DOMAIN = "a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com"
QUEUE = "arn:aws:sqs:eu-central-1:123456789012:ordersync-inbound"


def digest(secret, message, algorithm=hashlib.sha256):
    return hmac.new(secret, message, algorithm).digest()


def in_base64(data):
    return base64.b64encode(data).decode()


def shopify(body, secret, now):
    return body, {
        "user-agent": "Shopify-Captain-Hook",
        "x-shopify-api-version": "2026-07",
        "x-shopify-event-id": "0197f1c7-ab1e-7000-8000-0000000e7e27",
        "x-shopify-hmac-sha256": in_base64(digest(secret.encode(), body)),
        "x-shopify-shop-domain": "nordlicht-kaffee.example.com",
        "x-shopify-topic": "orders/create",
        "x-shopify-triggered-at": datetime.fromtimestamp(now, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000000000Z"),
        "x-shopify-webhook-id": "0197f1c7-ab1e-7000-8000-000000de117e",
    }


def woocommerce(body, secret, now):
    return body, {
        "user-agent": "WooCommerce/9.9.5 Hookshot (WordPress/6.8.2)",
        "x-wc-webhook-delivery-id": "0c9f1c7a0b7e4f1b8d2a6c5e3f1d9b70",
        "x-wc-webhook-event": "created",
        "x-wc-webhook-id": "11",
        "x-wc-webhook-resource": "order",
        "x-wc-webhook-signature": in_base64(digest(secret.encode(), body)),
        "x-wc-webhook-source": "https://teaandtide.example.com/",
        "x-wc-webhook-topic": "order.created",
    }


def magento(body, secret, now):
    return body, {"user-agent": "GuzzleHttp/7", "x-magento-signature": digest(secret.encode(), body).hex()}


def shopware(body, secret, now):
    # The time of the attempt is part of the body.
    body = re.sub(rb'"timestamp":\d+', b'"timestamp":%d' % now, body)
    return body, {
        "shopware-shop-signature": digest(secret.encode(), body).hex(),
        "sw-context-language": "0197f1c7000000000000000000000061",
        "sw-user-language": "de-CH",
        "sw-version": "6.7.1.0",
        "user-agent": "GuzzleHttp/7",
    }


def bigcommerce(body, secret, now):
    # Standard Webhooks; the standard's secret is the base64 of the client secret.
    return standard_webhooks(body, "whsec_" + in_base64(secret.encode()), now)


def standard_webhooks(body, secret, now):
    key = base64.b64decode(secret.removeprefix("whsec_"))
    name = "msg_01K1FICTIONALDELIVERY"
    signature = in_base64(digest(key, b"%s.%d.%s" % (name.encode(), now, body)))
    return body, {
        "user-agent": "example-sender/2.4",
        "webhook-id": name,
        "webhook-signature": f"v1,{signature}",
        "webhook-timestamp": str(now),
    }


def private_key():
    """Modulus and private exponent of the tests' RSA key: a PKCS#1 RSAPrivateKey in PEM, a sequence of integers."""
    lines = (HERE / "adobe-keys-for-tests-only" / "private-key-for-tests-only.pem").read_text().split("-----")[2]
    der = base64.b64decode(lines)

    def length(at):
        size = der[at] & 0x7F if der[at] & 0x80 else 0
        return (int.from_bytes(der[at + 1 : at + 1 + size], "big"), at + 1 + size) if size else (der[at], at + 1)

    _, at = length(1)
    numbers = []
    while len(numbers) < 4:
        size, start = length(at + 1)
        numbers.append(int.from_bytes(der[start : start + size], "big"))
        at = start + size
    _version, modulus, _public, private = numbers
    return modulus, private


def rsa(message):
    """RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017, section 8.2.1)."""
    modulus, private = private_key()
    size = (modulus.bit_length() + 7) // 8
    digest_info = bytes.fromhex("3031300d060960864801650304020105000420") + hashlib.sha256(message).digest()
    padded = b"\x00\x01" + b"\xff" * (size - len(digest_info) - 3) + b"\x00" + digest_info
    return pow(int.from_bytes(padded, "big"), private, modulus).to_bytes(size, "big")


def adobe(body, secret, now):
    return body, {
        "user-agent": "Adobe/1.0",
        "x-adobe-delivery-id": "18abfb47-0000-4000-8000-00000000f1c7",
        # The first signature is one of another key, as in the days of a change.
        "x-adobe-digital-signature-1": in_base64(b"\x01" * 256),
        "x-adobe-digital-signature-2": in_base64(rsa(body)),
        "x-adobe-event-code": "com.adobe.commerce.observer.sales_order_save_commit_after",
        "x-adobe-event-id": "dafb64a8-0000-4000-8000-00000000f1c7",
        "x-adobe-provider": "dx_commerce_events",
        "x-adobe-public-key1-path": "/prod/keys/pub-key-of-the-tests-before.pem",
        "x-adobe-public-key2-path": "/prod/keys/pub-key-of-the-tests.pem",
    }


def generic(body, secret, now):
    return body, {"user-agent": "acme-orders/1.0", "x-acme-signature": "sha256=" + digest(secret.encode(), body).hex()}


# Platform: shop, how it signs, the topic in the subscription's URL, whether API Gateway hands the body on in base64.
PLATFORMS = {
    "shopify": ("demo-shopify", shopify, None, False),
    "woocommerce": ("demo-woocommerce", woocommerce, None, False),
    "magento": ("demo-magento", magento, "sales.order.created", False),
    "adobe-io-events": ("demo-adobe", adobe, None, False),
    "shopware": ("demo-shopware", shopware, None, True),
    "bigcommerce": ("demo-bigcommerce", bigcommerce, None, False),
    "standard-webhooks": ("demo-standard", standard_webhooks, None, False),
    "generic": ("demo-generic", generic, None, False),
}


# What a back office says later of an order.
RESPONSE = b'{"order":"10042","id":"ERP-2026-004711"}'


def intake_event(shop, topic, body, headers, encoded, now):
    return request("/webhooks/{shop}", {"shop": shop}, topic, body, headers, encoded, now)


def response_event(pipeline, body, headers, now):
    return request("/responses/{pipeline}", {"pipeline": pipeline}, None, body, headers, False, now)


def request(route, parameters, topic, body, headers, encoded, now):
    path = route.format(**parameters)
    sender = {
        "accept": "*/*",
        "content-length": str(len(body)),
        "content-type": "application/json",
        "host": DOMAIN,
        "x-forwarded-for": "203.0.113.80",
        "x-forwarded-port": "443",
        "x-forwarded-proto": "https",
    }
    event = {
        "version": "2.0",
        "routeKey": f"ANY {route}",
        "rawPath": path,
        "rawQueryString": f"topic={topic}" if topic else "",
        "headers": dict(sorted((sender | headers).items())),
    }
    if topic:
        event["queryStringParameters"] = {"topic": topic}
    return event | {
        "requestContext": {
            "accountId": "123456789012",
            "apiId": DOMAIN.split(".")[0],
            "domainName": DOMAIN,
            "domainPrefix": DOMAIN.split(".")[0],
            "http": {
                "method": "POST",
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "203.0.113.80",
                "userAgent": headers["user-agent"],
            },
            "requestId": "HnT1kFictional=",
            "routeKey": f"ANY {route}",
            "stage": "$default",
            "time": datetime.fromtimestamp(now, timezone.utc).strftime("%d/%b/%Y:%H:%M:%S +0000"),
            "timeEpoch": now * 1000,
        },
        "pathParameters": parameters,
        "body": in_base64(body) if encoded else body.decode(),
        "isBase64Encoded": encoded,
    }


def record(shop, topic, body, headers, own, delivery_id, now):
    attributes = {
        "shop": shop,
        "topic": topic,
        "delivery_id": delivery_id,
        "received_at": datetime.fromtimestamp(now, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "headers": json.dumps({name: value for name, value in sorted(headers.items()) if name.startswith(own)}),
    }
    sent = now * 1000
    return {
        "messageId": str(uuid.uuid5(uuid.NAMESPACE_URL, shop)),
        "receiptHandle": f"AQEBexample{shop}",
        "body": body.decode(),
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": str(sent),
            "MessageGroupId": shop,
            "SenderId": "AROAEXAMPLE:ordersync-intake",
            "ApproximateFirstReceiveTimestamp": str(sent + 12),
        },
        "messageAttributes": {
            name: {"stringValue": value, "stringListValues": [], "binaryListValues": [], "dataType": "String"}
            for name, value in attributes.items()
            if value
        },
        "md5OfBody": hashlib.md5(body).hexdigest(),
        "eventSource": "aws:sqs",
        "eventSourceARN": QUEUE,
        "awsRegion": "eu-central-1",
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--now", action="store_true", help="sign with the time now, not with the fixed one")
    parser.add_argument("--out", type=Path, help="where to write the events; this folder by default")
    arguments = parser.parse_args()
    if arguments.now and not arguments.out:
        parser.error("--now needs --out: the events of this folder keep their time")
    out = arguments.out or HERE
    out.mkdir(parents=True, exist_ok=True)
    now = int(time.time()) if arguments.now else FIXED
    secrets = json.loads((HERE / "secrets.json").read_text())

    def write(name, event):
        (out / name).write_text(json.dumps(event, ensure_ascii=False, indent=2) + "\n")

    signed = {}
    for platform, (shop, sign, topic, encoded) in PLATFORMS.items():
        secret = secrets.get(f"{shop}-webhook")
        body, headers = sign((HERE / "webhooks" / f"{platform}.json").read_bytes(), secret, now)
        signed[platform] = (shop, topic, body, headers)
        write(f"intake-{platform}.json", intake_event(shop, topic, body, headers, encoded, now))

    queued = [
        ("shopify", "x-shopify-", "x-shopify-event-id"),
        ("woocommerce", "x-wc-webhook-", "x-wc-webhook-delivery-id"),
        ("magento", "x-magento-", ""),
    ]
    records = [record(*signed[platform], own, signed[platform][3].get(id_header), now) for platform, own, id_header in queued]
    write("processor.json", {"Records": records})

    body, headers = standard_webhooks(RESPONSE, secrets["demo-erp-callback"], now)
    write("responses-http.json", response_event("erp", body, headers, now))


if __name__ == "__main__":
    main()
