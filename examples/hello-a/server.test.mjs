// Unit tests of hello-a, with a stand-in for hello-b. CI runs them inside the image, before it
// pushes anything.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import http from "node:http";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

let child;
let url;
let status = 200;

const helloB = http.createServer((_req, res) => {
  res.statusCode = status;
  res.end(JSON.stringify({ message: "Hi", version: "7", pod: "hello-b-x" }));
});

before(async () => {
  await once(helloB.listen(0, "127.0.0.1"), "listening");
  const env = {
    ...process.env,
    PORT: "0",
    GREETING: "Hello",
    VERSION: "3",
    POD_NAME: "hello-a-x",
    HELLO_B_URL: `http://127.0.0.1:${helloB.address().port}/`,
  };
  const server = fileURLToPath(new URL("server.mjs", import.meta.url));
  child = spawn(process.execPath, [server], { env, stdio: ["ignore", "pipe", "inherit"] });
  const [line] = await once(createInterface({ input: child.stdout }), "line");
  url = `http://127.0.0.1:${JSON.parse(line).port}`;
});

after(() => {
  // At once: told to stop, it would go on serving for a while.
  child.kill("SIGKILL");
  helloB.close();
  helloB.closeAllConnections();
});

test("it greets, and passes on hello-b's greeting", async () => {
  const answer = await fetch(`${url}/`);
  assert.equal(answer.status, 200);
  assert.deepEqual(await answer.json(), {
    message: "Hello",
    app: "hello-a",
    version: "3",
    pod: "hello-a-x",
    "hello-b": { message: "Hi", version: "7", pod: "hello-b-x" },
  });
});

test("it says when hello-b has no greeting, and stays ready", async () => {
  status = 503;
  const answer = await fetch(`${url}/`);
  assert.equal(answer.status, 502);
  assert.match((await answer.json()).error, /it answered 503$/);
  assert.equal((await fetch(`${url}/readyz`)).status, 200);
});
