// Addresses of documents: what is an address, what it is called where people read it, and where a redirect may lead. Fetches nothing.
import { UserError } from "../errors.ts";
import { sha256 } from "../util/hash.ts";
import { Unreadable } from "./limits.ts";

/** The value of an environment variable. */
export type Secret = (variable: string) => string | undefined;

export interface UrlSource {
  /** As it was named, `${NAME}` standing for environment variables: this is what may be kept. */
  readonly written: string;
  /** Host and path, with the beginning of a hash in the place of a query. */
  readonly id: string;
  /** The address without what may be secret in it: no user, no password, no query. */
  readonly name: string;
}

export const isUrl = (path: string): boolean => /^https?:\/\//i.test(path);

/** @throws {UserError} for what begins like an address and is none. */
export function urlSource(written: string): UrlSource {
  const { protocol, host, pathname, search } = parsed(written);
  const path = readable(pathname).replace(/\/$/, "");
  const query = search === "" ? "" : `?${sha256(search).slice(0, 8)}`;
  return { written, id: `${host}${path}${query}`, name: `${protocol}//${host}${path}${search === "" ? "" : "?..."}` };
}

/** The address with the values of its variables. @throws {UserError} where one is not set. */
export function addressOf({ written, name }: UrlSource, secret: Secret = () => undefined): URL {
  return parsed(
    written.replaceAll(/\$\{(\w+)\}/g, (_, variable: string) => {
      const value = secret(variable);
      if (value !== undefined) return encodeURIComponent(value);
      throw new UserError(`documents: ${name} needs the environment variable ${variable}, which is not set. Set it, or mend the address.`);
    }),
  );
}

/**
 * Where a redirect leads. Throws Unreadable where it would leave encryption behind, or lead from a public host into the network of this
 * machine: who writes a page elsewhere must not choose what is read here.
 */
export function redirected(from: URL, location: string | null): URL {
  const to = location !== null && URL.canParse(location, from.href) ? new URL(location, from) : undefined;
  if (to === undefined || !isUrl(to.href)) throw new Unreadable("leads to no address. Name the page itself.");
  if (from.protocol === "https:" && to.protocol !== "https:") throw new Unreadable("leads from https to http. Name the page itself.");
  if (isPrivate(to.hostname) && !isPrivate(from.hostname))
    throw new Unreadable("leads into the network of this machine. Name the page itself, if you trust it.");
  return to;
}

/** Addresses of this machine and of local networks (RFC 1918, 3927, 4193), as the address itself says. */
const isPrivate = (host: string): boolean =>
  /^(localhost|.*\.localhost|0\.|127\.|10\.|192\.168\.|169\.254\.|172\.(1[6-9]|2\d|3[01])\.|\[(::1?\]|::ffff:|f[cd]|fe[89ab]))/i.test(host);

function parsed(address: string): URL {
  if (URL.canParse(address)) return new URL(address);
  // It may hold a password: no part of it is repeated.
  throw new UserError("documents: an address is none that can be read. Write it like https://example.com/guide.html.");
}

function readable(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
