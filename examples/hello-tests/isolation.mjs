// Calls hello-a for a while by each way a pod can know it. All must lead to one and the same
// version; the apps' access logs show who else called, and who was called, in the meantime.
import assert from "node:assert/strict";
import test from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { call } from "./client.mjs";

const { HELLO_A_SERVICE_HOST, HELLO_A_SERVICE_PORT, POD_NAMESPACE } = process.env;
const HOLD_SECONDS = Number(process.env.HOLD_SECONDS);
const MIN_CALLS = Number(process.env.MIN_CALLS ?? 0);
const ROUND_MS = 50;

test(`hello-a is the same by every name for ${HOLD_SECONDS} s`, async (t) => {
  assert.ok(POD_NAMESPACE, "POD_NAMESPACE is not set");
  assert.ok(HELLO_A_SERVICE_HOST, "HELLO_A_SERVICE_HOST is not set");
  assert.ok(HELLO_A_SERVICE_PORT, "HELLO_A_SERVICE_PORT is not set");
  const serviceHost = HELLO_A_SERVICE_HOST.includes(":") ? `[${HELLO_A_SERVICE_HOST}]` : HELLO_A_SERVICE_HOST;
  const urls = {
    "short-name": "http://hello-a/",
    "namespace": `http://hello-a.${POD_NAMESPACE}/`,
    "svc": `http://hello-a.${POD_NAMESPACE}.svc/`,
    "fqdn": `http://hello-a.${POD_NAMESPACE}.svc.cluster.local/`,
    "service-link": `http://${serviceHost}:${HELLO_A_SERVICE_PORT}/`,
  };

  const end = performance.now() + HOLD_SECONDS * 1000;
  const versions = new Set();
  let calls = 0;
  while (performance.now() < end || calls < MIN_CALLS) {
    const answers = await Promise.all(Object.entries(urls).map(([name, url]) => call(url, name)));
    for (const answer of answers) versions.add(`hello-a ${answer.version}, hello-b ${answer["hello-b"].version}`);
    calls += answers.length;
    await sleep(ROUND_MS);
  }
  t.diagnostic(`${calls} calls, answered by ${[...versions].join(" and by ")}`);
  assert.equal(versions.size, 1, `answered by several versions: ${[...versions].join("; ")}`);
});
