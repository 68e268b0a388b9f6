// Stands between the examples and what they talk to: sees every request, and can answer in its place.
import { Agent, createServer, request as forward } from "node:http";

export class Relay {
  /** The requests that came, oldest first: `{ method, path, authorization, at }`. */
  seen = [];
  /** Answers instead of the target where it returns `{ status, headers }`, and hangs up at "hang up". */
  intercept = () => undefined;
  /** Where it returns a function for a request, the answer's body goes through that. */
  rewrite = () => undefined;
  #agent = new Agent({ keepAlive: true });
  #server;

  /** Passes what comes on to `port` of this machine. */
  static async start(port) {
    const relay = new Relay();
    relay.#server = createServer((request, response) => relay.#pass(request, response, port));
    relay.#server.keepAliveTimeout = 120_000;
    await new Promise((resolve) => relay.#server.listen(0, "127.0.0.1", resolve));
    relay.port = relay.#server.address().port;
    relay.origin = `http://localhost:${relay.port}`;
    return relay;
  }

  count(path) {
    return this.seen.filter((request) => request.path === path).length;
  }

  stop() {
    this.#agent.destroy();
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(resolve));
  }

  #pass(request, response, port) {
    const { method, url, headers } = request;
    const path = url.split("?")[0];
    const seen = { method, path, authorization: headers.authorization, at: Date.now() };
    this.seen.push(seen);
    const instead = this.intercept(seen);
    if (instead === "hang up") return request.destroy();
    if (instead) return response.writeHead(instead.status, instead.headers).end();

    const change = this.rewrite(seen);
    const onward = forward(
      { host: "127.0.0.1", port, method, path: url, headers, agent: this.#agent },
      (answer) => {
        if (change) return rewritten(answer, response, change);
        response.writeHead(answer.statusCode, answer.rawHeaders);
        answer.pipe(response);
      },
    );
    onward.on("error", () => response.destroy());
    request.pipe(onward);
  }
}

async function rewritten(answer, response, change) {
  let body = "";
  for await (const part of answer.setEncoding("utf8")) body += part;
  const { "content-length": _, ...headers } = answer.headers;
  response.writeHead(answer.statusCode, headers).end(change(body));
}
