// Integration tests of hello-a and hello-b. They use the names the apps have in production: where
// these lead to is up to the place the tests run in.
import assert from "node:assert/strict";
import http from "node:http";
import { text } from "node:stream/consumers";
import test from "node:test";

import { HELLO_A_URL, HELLO_B_URL, call } from "./client.mjs";

const GREETING = "Hello World";

test("hello-b greets", async () => {
  const answer = await call(HELLO_B_URL, "hello-b-greets");
  assert.equal(answer.message, GREETING, "hello-b's greeting");
});

test("hello-a greets", async () => {
  const answer = await call(HELLO_A_URL, "hello-a-greets");
  assert.equal(answer.message, GREETING, "hello-a's greeting");
});

test("hello-a passes on hello-b's greeting", async () => {
  const answer = await call(HELLO_A_URL, "hello-a-passes-on");
  assert.equal(answer["hello-b"].message, GREETING, "hello-b's greeting, as hello-a shows it");
});

test("both report a version, and hello-a calls the hello-b that is tested", async () => {
  const a = await call(HELLO_A_URL, "versions");
  const b = await call(HELLO_B_URL, "versions");
  assert.match(a.version, /\S/, "hello-a's version");
  assert.match(b.version, /\S/, "hello-b's version");
  assert.equal(a["hello-b"].version, b.version, "the version of hello-b that hello-a calls");
});

test("a connection to hello-a serves request after request", async () => {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  const headers = { "User-Agent": "hello-tests/kept-alive" };
  for (let n = 1; n <= 5; n++) {
    const { req, response } = await new Promise((resolve, reject) => {
      const req = http.get(HELLO_A_URL, { agent, headers }, (response) => resolve({ req, response }));
      req.on("error", reject);
      req.setTimeout(5_000, () => req.destroy(new Error("no answer within 5 s")));
    });
    const body = await text(response);
    assert.equal(response.statusCode, 200, `answer ${n}: ${body}`);
    assert.equal(req.reusedSocket, n > 1, `request ${n} on the connection of the first`);
  }
  agent.destroy();
});

if (Number(process.env.HOLD_SECONDS ?? 0) > 0) await import("./isolation.mjs");
