// Unit tests of hello-b. CI runs them inside the image, before it pushes anything.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

let child;
let url;

before(async () => {
  const env = { ...process.env, PORT: "0", GREETING: "Hello", VERSION: "7", POD_NAME: "hello-b-x" };
  const server = fileURLToPath(new URL("server.mjs", import.meta.url));
  child = spawn(process.execPath, [server], { env, stdio: ["ignore", "pipe", "inherit"] });
  const [line] = await once(createInterface({ input: child.stdout }), "line");
  url = `http://127.0.0.1:${JSON.parse(line).port}`;
});

// At once: told to stop, it would go on serving for a while.
after(() => child.kill("SIGKILL"));

test("it greets, and says who it is", async () => {
  const answer = await fetch(`${url}/`);
  assert.equal(answer.status, 200);
  assert.deepEqual(await answer.json(), {
    message: "Hello",
    app: "hello-b",
    version: "7",
    pod: "hello-b-x",
  });
});

test("the probes pass", async () => {
  assert.equal((await fetch(`${url}/healthz`)).status, 200);
  assert.equal((await fetch(`${url}/readyz`)).status, 200);
});

test("what is not there is said", async () => {
  const answer = await fetch(`${url}/nothing`);
  assert.equal(answer.status, 404);
  assert.deepEqual(await answer.json(), { error: "there is nothing at /nothing" });
});
