// One object, under the same key at every attempt.
import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";

const s3 = new S3Client({});
const bucket = process.env.BUCKET;

export async function send({ order, body, mediaType, extension }) {
  const key = `orders/${order.shop}/${encodeURIComponent(order.number)}.${extension}`;
  await s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body, ContentType: mediaType }));
  return { destination: `s3://${bucket}/${key}` };
}
