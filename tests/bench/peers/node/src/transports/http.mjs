// One request, with the same idempotency key at every attempt, over connections that fetch keeps.
import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";

const TIMEOUT_MS = 10_000;

const url = process.env.DESTINATION_URL;
const token = await readSecret(process.env.DESTINATION_SECRET_NAME);

export async function send({ key, body, mediaType }) {
  const response = await fetch(url, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": mediaType, "idempotency-key": key },
    body,
    redirect: "manual",
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  const answer = await response.text();
  if (!response.ok) throw new Error(`the destination answered ${response.status}`);
  return { destination: url, external_id: JSON.parse(answer).id ?? null };
}

async function readSecret(name) {
  const answer = await new SecretsManagerClient({}).send(new GetSecretValueCommand({ SecretId: name }));
  return answer.SecretString.trim();
}
