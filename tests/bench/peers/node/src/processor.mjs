// Processor: takes each order of an SQS batch to its destination, once. Powertools reports the records that failed and
// keeps in DynamoDB what has been delivered.
import { BatchProcessor, EventType, processPartialResponse } from "@aws-lambda-powertools/batch";
import { IdempotencyConfig, makeIdempotent } from "@aws-lambda-powertools/idempotency";
import { DynamoDBPersistenceLayer } from "@aws-lambda-powertools/idempotency/dynamodb";
import { Logger } from "@aws-lambda-powertools/logger";
import { readOrder } from "./order.mjs";

const PIPELINE = "erp";

const formats = {
  json: () => import("./formats/json.mjs"),
  template: () => import("./formats/template.mjs"),
  csv: () => import("./formats/csv.mjs"),
};
const transports = {
  s3: () => import("./transports/s3.mjs"),
  http: () => import("./transports/http.mjs"),
};
const { render, mediaType, extension } = await formats[process.env.FORMAT]();
const { send } = await transports[process.env.TRANSPORT]();

const logger = new Logger({ serviceName: "processor" });
const processor = new BatchProcessor(EventType.SQS);
const config = new IdempotencyConfig({ eventKeyJmesPath: "key" });
const persistenceStore = new DynamoDBPersistenceLayer({ tableName: process.env.TABLE });

const deliver = makeIdempotent(
  async ({ key, order }) => {
    const body = render(order, PIPELINE);
    const receipt = await send({ key, order, body, mediaType, extension });
    logger.info(`exported order ${order.id} of ${order.shop}`, { export: key });
    return receipt;
  },
  { persistenceStore, config },
);

async function processRecord(record) {
  const order = readOrder(record.messageAttributes.shop.stringValue, JSON.parse(record.body));
  const key = `${order.shop}:${encodeURIComponent(order.id)}:${PIPELINE}`;
  try {
    await deliver({ key, order });
  } catch (error) {
    logger.error(`order ${order.id} of ${order.shop} is not exported`, { export: key, error });
    throw error;
  }
}

export async function handler(event, context) {
  config.registerLambdaContext(context);
  logger.addContext(context);
  return processPartialResponse(event, processRecord, processor, { context, throwOnFullBatchFailure: false });
}
