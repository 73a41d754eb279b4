// hello-a answers with a greeting and with what hello-b, called by the name of its Service, says.
import { once } from "node:events";
import http from "node:http";
import { hostname } from "node:os";
import { json } from "node:stream/consumers";

const {
  GREETING = "Hello World",
  VERSION = "dev",
  PORT = "8080",
  POD_NAME = hostname(),
  DRAIN_SECONDS = "5",
  HELLO_B_URL = "http://hello-b/",
} = process.env;

const APP = "hello-a";
const HELLO_B_SECONDS = 2;
const FINISH_SECONDS = 20;
const PROBES = new Set(["/healthz", "/readyz"]);

let stopping = false;
const connections = new Set();
const agent = new http.Agent({ keepAlive: true });

const server = http.createServer((req, res) => {
  const [path] = req.url.split("?", 1);
  // Both probes stay 200 while the app drains: it does still serve, and kube-proxy falls back on
  // ending pods that are ready when a Service has no others. Neither asks hello-b: if it is down,
  // taking hello-a out of its Service as well would only hide the reason.
  if (PROBES.has(path)) return send(res, 200, { status: "ok" });
  logWhenDone(req, res);
  if (path !== "/") return send(res, 404, { error: `there is nothing at ${path}` });
  greet(res);
});

async function greet(res) {
  const self = { app: APP, version: VERSION, pod: POD_NAME };
  try {
    const { message, version, pod } = await askHelloB();
    send(res, 200, { message: GREETING, ...self, "hello-b": { message, version, pod } });
  } catch (error) {
    // Where a name has several addresses, the error of trying them all has a code but no message.
    const reason = error.message || error.code;
    send(res, 502, { error: `no greeting from hello-b at ${HELLO_B_URL}: ${reason}`, ...self });
  }
}

async function askHelloB() {
  const signal = AbortSignal.timeout(HELLO_B_SECONDS * 1000);
  try {
    const response = await get({ agent, signal });
    if (response.statusCode !== 200) {
      response.resume();
      throw new Error(`it answered ${response.statusCode}`);
    }
    return await json(response);
  } catch (error) {
    if (signal.aborted) throw new Error(`no answer within ${HELLO_B_SECONDS} s`);
    throw error;
  }
}

async function get(options) {
  const headers = { "User-Agent": `${APP}/${VERSION}` };
  const req = http.get(HELLO_B_URL, { headers, ...options });
  // Errors reach the two who wait: below for the response, above for its body. This one only keeps
  // an error that comes between them from ending the process.
  req.on("error", () => {});
  try {
    const [response] = await once(req, "response");
    return response;
  } catch (error) {
    // hello-b may close an idle connection just when it is used again. Nothing of an answer was
    // seen then, so a GET may be sent once more, on a connection that cannot be stale.
    const stale = req.reusedSocket && ["ECONNRESET", "EPIPE"].includes(error.code);
    if (stale) return get({ ...options, agent: false });
    throw error;
  }
}

function send(res, status, body) {
  // The client of a kept-alive connection learns here that its next request needs a new one.
  if (stopping) res.setHeader("Connection", "close");
  res.statusCode = status;
  res.setHeader("Content-Type", "application/json");
  res.end(`${JSON.stringify(body)}\n`);
}

function logWhenDone(req, res) {
  const started = performance.now();
  const remote = req.socket.remoteAddress?.replace(/^::ffff:/, "");
  res.once("close", () => {
    log("request", {
      method: req.method,
      path: req.url,
      host: req.headers.host,
      remote,
      // 499, as nginx has it: the client left before its answer was complete.
      status: res.writableFinished ? res.statusCode : 499,
      ms: Number((performance.now() - started).toFixed(1)),
      userAgent: req.headers["user-agent"],
    });
  });
}

function log(msg, fields) {
  const time = new Date().toISOString();
  console.log(JSON.stringify({ time, app: APP, version: VERSION, pod: POD_NAME, msg, ...fields }));
}

// A pod gets its signal before every node and load balancer knows that it is ending, so everything
// is still served for a while, on new and old connections alike. Only then the door is closed.
function stop(signal) {
  if (stopping) return;
  stopping = true;
  log("stopping", { signal, drainSeconds: Number(DRAIN_SECONDS) });
  setTimeout(finish, DRAIN_SECONDS * 1000);
}

function finish() {
  // Accepts no more and closes the idle connections; the callback waits for the requests in flight.
  // After it nothing keeps the process alive, and it ends with 0.
  server.close(() => log("stopped"));
  // Node counts a connection that never carried a byte as busy: a browser opens such ones ahead.
  for (const socket of connections) if (socket.bytesRead === 0) socket.destroy();
  setTimeout(() => {
    log("stopped with requests in flight");
    process.exit(1);
  }, FINISH_SECONDS * 1000).unref();
}

server.on("connection", (socket) => {
  connections.add(socket);
  socket.once("close", () => connections.delete(socket));
});

// Longer than the idle time of usual clients and load balancers (60 s), so that it is they who
// close an idle connection, and never the server while a request is on its way.
server.keepAliveTimeout = 65_000;
server.headersTimeout = 70_000;

// As process 1 of a container there are no default handlers: an unhandled signal would be ignored.
process.on("SIGTERM", stop);
process.on("SIGINT", stop);

server.listen(Number(PORT), () => log("listening", { port: server.address().port }));
