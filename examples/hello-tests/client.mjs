// How the tests call the apps.
import assert from "node:assert/strict";

export const {
  HELLO_A_URL = "http://hello-a/",
  HELLO_B_URL = "http://hello-b/",
} = process.env;

const TIMEOUT_MS = 5_000;

// Calls a URL and returns its JSON answer. The name is that of the caller in the apps' logs.
export async function call(url, name) {
  let response;
  try {
    response = await fetch(url, {
      headers: { "User-Agent": `hello-tests/${name}` },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch (error) {
    assert.fail(`GET ${url} got no answer: ${error.cause?.message || error.message}`);
  }
  const body = await response.text();
  assert.equal(response.status, 200, `GET ${url} answered ${response.status}: ${body}`);
  return JSON.parse(body);
}
