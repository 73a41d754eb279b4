// Runs the example apps on loopback and checks what promoter's own tests rely on.
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import http from "node:http";
import net from "node:net";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { suite, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const folder = (name) => fileURLToPath(new URL(name, import.meta.url));

// Nothing listens on this port.
const CLOSED_URL = "http://127.0.0.1:1/";

// Starts an app on a free port; resolves once it listens.
async function start(t, app, env = {}) {
  const child = spawn(process.execPath, ["server.mjs"], {
    cwd: folder(app),
    env: { PORT: "0", DRAIN_SECONDS: "1", ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.after(() => child.kill("SIGKILL"));
  const lines = [];
  const exited = once(child, "exit");
  const output = createInterface({ input: child.stdout });
  output.on("line", (line) => lines.push(JSON.parse(line)));

  // The first matching log line, which may be still to come.
  async function logged(matches) {
    const signal = AbortSignal.timeout(5_000);
    for (;;) {
      const line = lines.find(matches);
      if (line) return line;
      await once(output, "line", { signal });
    }
  }

  const { port } = await logged((line) => line.msg === "listening");
  return {
    port,
    url: `http://127.0.0.1:${port}/`,
    lines,
    logged,
    // Sends the signal and resolves once the app has begun to stop.
    async stop(signal = "SIGTERM") {
      child.kill(signal);
      await logged((line) => line.msg === "stopping");
    },
    async exitCode() {
      const [code] = await exited;
      return code;
    },
  };
}

// Starts a stand-in for hello-b.
async function stub(t, handler) {
  const server = http.createServer(handler).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${server.address().port}/`;
}

async function get(url, { agent, userAgent = "test" } = {}) {
  const req = http.get(url, { agent, headers: { "User-Agent": userAgent } });
  const [response] = await once(req, "response");
  const body = JSON.parse(await text(response));
  return { status: response.statusCode, closes: response.headers.connection === "close", body };
}

// Resolves once nothing listens on the port any more.
async function refusesConnections(port) {
  for (;;) {
    const socket = net.connect(port, "127.0.0.1");
    try {
      await once(socket, "connect");
    } catch {
      return;
    } finally {
      socket.destroy();
    }
    await sleep(10);
  }
}

// Runs hello-tests as its image does, against the given apps.
function runHelloTests(a, b) {
  // With the variable of this test run, the inner one would take itself for a part of it.
  const { NODE_TEST_CONTEXT, ...env } = process.env;
  Object.assign(env, { HELLO_A_URL: a.url, HELLO_B_URL: b.url });
  return new Promise((resolve) => {
    execFile("npm", ["test"], { cwd: folder("hello-tests"), env }, (error, stdout) => {
      resolve({ code: error?.code ?? 0, stdout });
    });
  });
}

suite("examples", { concurrency: true, timeout: 15_000 }, () => {
  test("hello-a shows its own greeting and hello-b's", async (t) => {
    const b = await start(t, "hello-b", { VERSION: "b-7", POD_NAME: "hello-b-x" });
    const a = await start(t, "hello-a", { VERSION: "a-3", POD_NAME: "hello-a-y", HELLO_B_URL: b.url });
    assert.deepEqual(await get(b.url), {
      status: 200,
      closes: false,
      body: { message: "Hello World", app: "hello-b", version: "b-7", pod: "hello-b-x" },
    });
    assert.deepEqual(await get(a.url), {
      status: 200,
      closes: false,
      body: {
        message: "Hello World",
        app: "hello-a",
        version: "a-3",
        pod: "hello-a-y",
        "hello-b": { message: "Hello World", version: "b-7", pod: "hello-b-x" },
      },
    });
  });

  test("hello-a is ready without hello-b, and says what is wrong with it", async (t) => {
    const a = await start(t, "hello-a", { HELLO_B_URL: CLOSED_URL });
    assert.equal((await get(`${a.url}healthz`)).status, 200);
    assert.equal((await get(`${a.url}readyz`)).status, 200);
    const { status, body } = await get(a.url);
    assert.equal(status, 502);
    assert.match(body.error, /^no greeting from hello-b at http:\/\/127\.0\.0\.1:1\/: .*ECONNREFUSED/);
    assert.equal(body.app, "hello-a");
  });

  test("hello-a does not wait for a hello-b that hangs", async (t) => {
    const a = await start(t, "hello-a", { HELLO_B_URL: await stub(t, () => {}) });
    const { status, body } = await get(a.url);
    assert.equal(status, 502);
    assert.match(body.error, /no answer within 2 s$/);
  });

  test("hello-a passes on no answer of hello-b but 200", async (t) => {
    const url = await stub(t, (_req, res) => res.writeHead(503).end("{}"));
    const a = await start(t, "hello-a", { HELLO_B_URL: url });
    const { status, body } = await get(a.url);
    assert.equal(status, 502);
    assert.match(body.error, /it answered 503$/);
  });

  test("hello-a asks again when its idle connection was just closed", async (t) => {
    let asked = 0;
    const url = await stub(t, (_req, res) => {
      asked += 1;
      if (asked === 2) res.socket.destroy();
      else res.end('{"message":"hi"}');
    });
    const a = await start(t, "hello-a", { HELLO_B_URL: url });
    assert.equal((await get(a.url)).status, 200);
    assert.equal((await get(a.url)).status, 200);
    assert.equal(asked, 3);
  });

  test("every request but the probes' is one line of the access log", async (t) => {
    const b = await start(t, "hello-b", { VERSION: "b-7", POD_NAME: "hello-b-x" });
    await get(`${b.url}healthz`);
    await get(`${b.url}readyz`);
    assert.equal((await get(`${b.url}nothing?n=1`, { userAgent: "someone/1" })).status, 404);
    const { time, ms, ...line } = await b.logged(({ msg }) => msg === "request");
    assert.deepEqual(line, {
      app: "hello-b",
      version: "b-7",
      pod: "hello-b-x",
      msg: "request",
      method: "GET",
      path: "/nothing?n=1",
      host: `127.0.0.1:${b.port}`,
      remote: "127.0.0.1",
      status: 404,
      userAgent: "someone/1",
    });
    assert.equal(new Date(time).toISOString(), time);
    assert.ok(ms >= 0 && ms < 5_000, `${ms} ms`);
  });

  test("stopping loses no request of clients with and without kept-alive connections", async (t) => {
    const b = await start(t, "hello-b");
    const old = await start(t, "hello-a", { VERSION: "old", HELLO_B_URL: b.url });
    const next = await start(t, "hello-a", { VERSION: "next", HELLO_B_URL: b.url });

    // As a Service does: decides where a new connection leads to, and leaves those there are alone.
    let port = old.port;
    const agents = [true, true, false, false].map((keepAlive) => {
      const agent = new http.Agent({ keepAlive });
      agent.createConnection = () => net.connect(port, "127.0.0.1");
      t.after(() => agent.destroy());
      return agent;
    });

    let running = true;
    const answers = agents.map(() => []);
    const clients = agents.map(async (agent, n) => {
      while (running) answers[n].push(await get("http://hello-a/", { agent }));
    });
    const load = Promise.all(clients);
    const everyClientHas = async (count, version) => {
      const has = (list) => list.filter(({ body }) => body.version === version).length >= count;
      while (!answers.every(has)) await Promise.race([load, sleep(10)]);
    };

    await everyClientHas(20, "old");
    port = next.port;
    await old.stop();
    assert.equal(await old.exitCode(), 0);
    await everyClientHas(20, "next");
    running = false;
    await load;

    for (const { status, body } of answers.flat()) assert.equal(status, 200, JSON.stringify(body));
    for (const list of answers.slice(0, 2)) {
      const last = list.findLast(({ body }) => body.version === "old");
      assert.ok(last.closes, "the last answer of the old app closes the kept-alive connection");
    }
  });

  test("a stopping app still serves idle and new connections, and closes them", async (t) => {
    const b = await start(t, "hello-b");
    const agent = new http.Agent({ keepAlive: true });
    assert.equal((await get(b.url, { agent })).closes, false);
    await b.stop("SIGINT");
    for (const options of [{ agent }, { agent: new http.Agent({ keepAlive: true }) }]) {
      const { status, closes } = await get(b.url, options);
      assert.deepEqual({ status, closes }, { status: 200, closes: true });
    }
    assert.equal((await get(`${b.url}readyz`)).status, 200);
    assert.equal(await b.exitCode(), 0);
  });

  test("a stopping app finishes what is in flight, and waits for nothing else", async (t) => {
    let asked;
    const request = new Promise((resolve) => (asked = resolve));
    const url = await stub(t, (_req, res) => asked(res));
    const a = await start(t, "hello-a", { HELLO_B_URL: url, DRAIN_SECONDS: "0.2" });
    const agent = new http.Agent({ keepAlive: true });
    await get(`${a.url}readyz`, { agent });
    const silent = net.connect(a.port, "127.0.0.1");
    await once(silent, "connect");
    const answer = get(a.url);
    const response = await request;

    await a.stop();
    await refusesConnections(a.port);
    response.end('{"message":"hi"}');
    assert.equal((await answer).status, 200);
    const answered = performance.now();
    assert.equal(await a.exitCode(), 0);
    assert.ok(performance.now() - answered < 2_000, "idle connections hold up the end");
  });

  test("hello-tests pass on the apps as they are", async (t) => {
    const b = await start(t, "hello-b");
    const a = await start(t, "hello-a", { HELLO_B_URL: b.url });
    const { code, stdout } = await runHelloTests(a, b);
    assert.equal(code, 0, stdout);
    assert.match(stdout, /^TAP version 13$/m);
    assert.match(stdout, /^1\.\.5$/m);
    assert.ok(b.lines.some(({ userAgent }) => userAgent === "hello-tests/hello-b-greets"));
  });

  test("hello-tests fail on another greeting of hello-b", async (t) => {
    const b = await start(t, "hello-b", { GREETING: "Goodbye" });
    const a = await start(t, "hello-a", { HELLO_B_URL: b.url });
    const { code, stdout } = await runHelloTests(a, b);
    assert.notEqual(code, 0, stdout);
    assert.match(stdout, /^not ok 1 - hello-b greets$/m);
    assert.match(stdout, /^ok 2 - hello-a greets$/m);
    assert.match(stdout, /^not ok 3 - hello-a passes on hello-b's greeting$/m);
  });
});
