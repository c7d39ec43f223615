// Intake: verifies Shopify's webhook, makes it durable with one SQS message, answers 202.
import { createHmac, timingSafeEqual } from "node:crypto";
import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";

// With it, an endpoint that stands in for AWS would not be used.
const sqs = new SQSClient({ useQueueUrlAsEndpoint: false });
const secret = await readSecret(process.env.WEBHOOK_SECRET_NAME);

export async function handler(event) {
  const requestId = event.requestContext.requestId;
  const shop = event.pathParameters.shop;
  const body = Buffer.from(event.body ?? "", event.isBase64Encoded ? "base64" : "utf8");
  if (!isSigned(body, event.headers["x-shopify-hmac-sha256"])) {
    return refused(401, "signature_invalid", "the signature does not fit", shop, requestId);
  }
  const text = body.toString();
  const order = orderId(text);
  if (order === undefined) {
    return refused(400, "malformed", "expected an order with an identifier", shop, requestId);
  }
  try {
    await sqs.send(new SendMessageCommand(message(shop, text, event.headers)));
  } catch (error) {
    log("error", { request_id: requestId, shop, error: error.name, message: "the queue does not take the message" });
    return refused(503, "queue_unavailable", "the order cannot be taken now", shop, requestId);
  }
  log("info", { request_id: requestId, shop, order_id: order, message: `accepted order ${order} of ${shop}` });
  return answer(202, { order, status: "accepted", request_id: requestId });
}

async function readSecret(name) {
  const answer = await new SecretsManagerClient({}).send(new GetSecretValueCommand({ SecretId: name }));
  return answer.SecretString.trim();
}

function isSigned(body, signature) {
  const expected = createHmac("sha256", secret).update(body).digest();
  const given = Buffer.from(signature ?? "", "base64");
  return given.length === expected.length && timingSafeEqual(given, expected);
}

// The identifier as text: the number beside it may exceed what a JavaScript number holds.
function orderId(text) {
  try {
    const order = JSON.parse(text);
    return order.admin_graphql_api_id?.split("/").at(-1) ?? (order.id === undefined ? undefined : String(order.id));
  } catch {
    return undefined;
  }
}

function message(shop, body, headers) {
  const own = Object.entries(headers).filter(([name]) => name === "content-type" || name.startsWith("x-shopify-"));
  const attributes = {
    shop,
    received_at: new Date().toISOString(),
    headers: JSON.stringify(Object.fromEntries(own)),
    delivery_id: headers["x-shopify-event-id"] ?? headers["x-shopify-webhook-id"],
  };
  const present = Object.entries(attributes).filter(([, value]) => value);
  return {
    QueueUrl: process.env.QUEUE_URL,
    MessageBody: body,
    MessageGroupId: shop,
    MessageAttributes: Object.fromEntries(
      present.map(([name, value]) => [name, { DataType: "String", StringValue: value }]),
    ),
  };
}

function refused(status, code, message, shop, requestId) {
  log("warn", { request_id: requestId, shop, status, code, message: `refused ${shop}: ${status} ${code}` });
  return answer(status, { error: code, message, request_id: requestId });
}

function answer(statusCode, body) {
  const headers = {
    "content-type": "application/json",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
  };
  return { statusCode, headers, body: JSON.stringify(body) };
}

function log(level, fields) {
  process.stdout.write(`${JSON.stringify({ timestamp: new Date().toISOString(), level, ...fields })}\n`);
}
