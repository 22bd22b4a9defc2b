// A web server on this machine whose pages tests change: conditional requests, redirects, errors.
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

export interface ServedPage {
  readonly body?: string | Uint8Array;
  readonly type?: string;
  readonly status?: number;
  readonly etag?: string;
  readonly lastModified?: string;
  readonly location?: string;
  /** The connection ends here, or nothing is said at all. */
  readonly fault?: "cut" | "silent";
}

export interface PageServer extends AsyncDisposable {
  /** `http://127.0.0.1:1234` */
  readonly url: string;
  /** `127.0.0.1:1234` */
  readonly host: string;
  /** By path, with the query. */
  readonly pages: Map<string, ServedPage>;
  /** What was asked and answered: `GET /guide 200`. */
  readonly asked: string[];
  readonly requests: IncomingMessage[];
}

export async function startPages(pages: { readonly [path: string]: ServedPage } = {}): Promise<PageServer> {
  const all = new Map(Object.entries(pages));
  const [asked, requests]: [string[], IncomingMessage[]] = [[], []];
  const server = createServer((request, response) => {
    const { body = "", type = "text/html", fault, etag, lastModified, location, status = 200 } = all.get(request.url!) ?? { status: 404 };
    const { "if-none-match": match, "if-modified-since": since } = request.headers;
    const same = (etag !== undefined && match === etag) || (etag === undefined && lastModified !== undefined && since === lastModified);
    requests.push(request);
    asked.push(`${request.method} ${request.url} ${same ? 304 : status}`);
    if (fault === "silent") return;
    response.writeHead(same ? 304 : status, {
      "content-type": type,
      ...(etag !== undefined && { etag }),
      ...(lastModified !== undefined && { "last-modified": lastModified }),
      ...(location !== undefined && { location }),
    });
    if (fault === "cut") response.write(body, () => response.destroy());
    else response.end(same ? undefined : body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: `http://${host}`,
    host,
    pages: all,
    asked,
    requests,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
