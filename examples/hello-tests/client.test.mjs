// Unit tests of how the tests call the apps: what goes wrong has to be told, or a promotion is
// refused and nobody knows why. CI runs them inside the image, before it pushes anything.
import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import { after, before, test } from "node:test";

import { call } from "./client.mjs";

let url;
let answer = { status: 200, body: '{"message":"Hi"}' };
let userAgent;

const app = http.createServer((req, res) => {
  userAgent = req.headers["user-agent"];
  res.statusCode = answer.status;
  res.end(answer.body);
});

before(async () => {
  await once(app.listen(0, "127.0.0.1"), "listening");
  url = `http://127.0.0.1:${app.address().port}/`;
});

after(() => {
  app.close();
  app.closeAllConnections();
});

test("an answer is given as it is, and the caller is told to the app", async () => {
  assert.deepEqual(await call(url, "unit"), { message: "Hi" });
  assert.equal(userAgent, "hello-tests/unit");
});

test("any status but 200 fails, with what was answered", async () => {
  answer = { status: 502, body: "no greeting" };
  await assert.rejects(call(url, "unit"), /GET .* answered 502: no greeting/);
});

test("no answer fails, with the reason", async () => {
  // Nothing listens on this port.
  const closed = "http://127.0.0.1:1/";
  await assert.rejects(call(closed, "unit"), /GET .* got no answer: ./);
});
