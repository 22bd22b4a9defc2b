// An app on a port of this machine, closed gracefully. Knows nothing of what the app answers.
import { once } from "node:events";
import type { AddressInfo, Socket } from "node:net";
import { createServer, type Server } from "node:http";
import { getRequestListener } from "@hono/node-server";
import type { Hono } from "hono";
import { messageOf, UserError } from "../index.ts";
import { ProtocolError } from "./protocol-error.ts";

export interface StartServerOptions {
  readonly app: Pick<Hono, "fetch">;
  /** 0 takes any that is free. */
  readonly port: number;
  /** Address to listen on; by default nobody outside this machine can connect. */
  readonly host?: string;
  /** Seconds that answers under way have when the server is closed. */
  readonly graceSeconds?: number;
}

export interface RunningServer extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** Takes no new request, lets those under way end, then cuts what is left: that aborts their answers. */
  close(): Promise<void>;
}

/** @throws {UserError} when the port is taken or the address is none of this machine. */
export async function startServer({ app, port, host = "127.0.0.1", graceSeconds = 10 }: StartServerOptions): Promise<RunningServer> {
  const handle = loopback(host) ? guarded(app) : app.fetch;
  const listener = getRequestListener((request) => handle(request), { overrideGlobalObjects: false });
  const server = createServer((incoming, outgoing) => void listener(incoming, outgoing));
  const connections = watchConnections(server);
  await listen(server, port, host);
  const { port: taken } = server.address() as AddressInfo;
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => (closing ??= closeServer({ server, connections, graceSeconds }));
  return { url: `http://${host.includes(":") ? `[${host}]` : host}:${taken}`, port: taken, close, [Symbol.asyncDispose]: close };
}

async function listen(server: Server, port: number, host: string): Promise<void> {
  try {
    server.listen(port, host);
    await once(server, "listening");
  } catch (cause) {
    const wayOut =
      (cause as NodeJS.ErrnoException).code === "EADDRINUSE" ? "Choose another with --port." : "Choose another with --host and --port.";
    throw new UserError(`Cannot listen on ${host} port ${port}: ${messageOf(cause)}. ${wayOut}`, { cause });
  }
}

interface Closing {
  readonly server: Server;
  readonly connections: Connections;
  readonly graceSeconds: number;
}

async function closeServer({ server, connections, graceSeconds }: Closing): Promise<void> {
  const closed = once(server, "close");
  server.close();
  connections.closeWhenIdle();
  const cut = setTimeout(() => server.closeAllConnections(), graceSeconds * 1000);
  await closed;
  clearTimeout(cut);
}

interface Connections {
  /** Ends connections that answer nothing, now and as they come to that. */
  closeWhenIdle(): void;
}

/** Node's own closing waits seconds for clients that keep a connection open after their answer, or open one ahead. */
function watchConnections(server: Server): Connections {
  const idle = new Set<Socket>();
  let closing = false;
  const rest = (socket: Socket): void => void (closing ? socket.destroySoon() : idle.add(socket));
  server.on("connection", (socket) => {
    rest(socket);
    socket.once("close", () => idle.delete(socket));
  });
  server.on("request", ({ socket }, response) => {
    idle.delete(socket);
    response.once("close", () => !socket.destroyed && rest(socket));
  });
  return {
    closeWhenIdle: () => {
      closing = true;
      for (const socket of idle) socket.destroySoon();
    },
  };
}

const loopbackHosts = /^(?:localhost|127(?:\.\d+){3}|\[?::1\]?)$/u;
const loopback = (host: string): boolean => loopbackHosts.test(host);

/**
 * Whoever listens on this machine alone must also be called by a name of this machine: else a page of another site could have its own
 * name point here and read the answers (DNS rebinding).
 */
function guarded(app: Pick<Hono, "fetch">): (request: Request) => Response | Promise<Response> {
  return (request) => {
    if (loopback(new URL(request.url).hostname)) return app.fetch(request);
    const message =
      "This server is for this machine alone: call it as localhost, have the proxy in front of it do so, or start it with another --host.";
    return new ProtocolError({ status: 403, message }).response();
  };
}
