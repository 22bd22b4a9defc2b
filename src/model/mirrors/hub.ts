// Files over HTTP from a model hub: resumed after a cut, quick to give up on a hub that does not answer.
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { finished } from "node:stream/promises";
import { messageOf } from "../../errors.ts";
import type { CatalogueFile, Mirror } from "../catalogue.ts";
import { type MirrorEvent, type MirrorFetch, type MirrorOptions, partSuffix } from "./mirror.ts";

type Hub = Mirror & { kind: "hub" };

/** Tries after a connection broke in the middle. */
const retries = 3;

export const fetchFromHub: MirrorFetch<Hub> = async function* (mirror, options) {
  for (const file of options.files) {
    const path = mirror.paths?.[file.name] ?? file.name;
    const url = `${options.hub.url}/${mirror.repository}/resolve/main/${path}`;
    // What a cut left behind is only gone on with where its content is sure to be the same.
    const sha256 = file.sha256 ?? (await statedHash(url, options));
    const target = join(options.staging, `${file.name}.${sha256?.slice(0, 8) ?? "unknown"}${partSuffix}`);
    if (sha256 === undefined) await rm(target, { force: true });
    yield* download({ url, file, target, options });
    yield { kind: "file", name: file.name, path: target, ...(sha256 === undefined ? {} : { sha256 }) };
  }
};

/** The hub names the SHA-256 of a large file before it redirects to where the bytes are. */
async function statedHash(url: string, options: MirrorOptions): Promise<string | undefined> {
  const response = await request(url, { method: "HEAD", redirect: "manual" }, options);
  if (response.status >= 400) throw new Error(refusal(response.status));
  const tag = response.headers.get("x-linked-etag")?.replaceAll('"', "");
  return tag !== undefined && /^[0-9a-f]{64}$/.test(tag) ? tag : undefined;
}

interface Download {
  readonly url: string;
  readonly file: CatalogueFile;
  readonly target: string;
  readonly options: MirrorOptions;
}

async function* download({ url, file, target, options }: Download): AsyncGenerator<MirrorEvent, void, void> {
  for (let attempt = 0; ; attempt++) {
    const before = await sizeOf(target);
    if (file.sha256 !== undefined && before === file.bytes) return;
    try {
      yield* receive({ url, file, target, options, from: before });
      return;
    } catch (error) {
      options.signal?.throwIfAborted();
      // A try that brought something on is worth another; one that did not would fail again.
      if (attempt >= retries || (await sizeOf(target)) <= before) throw error;
    }
  }
}

async function* receive({ url, file, target, options, from }: Download & { from: number }): AsyncGenerator<MirrorEvent, void, void> {
  const response = await request(url, { headers: from > 0 ? { range: `bytes=${from}-` } : {} }, options);
  if (response.status === 416) {
    await rm(target, { force: true });
    throw new Error(`the part in ${target} is no beginning of the file; it was removed`);
  }
  if (!response.ok || response.body === null) throw new Error(refusal(response.status));
  const resumed = response.status === 206;
  let received = resumed ? from : 0;
  const stated = response.headers.get("content-length");
  const total = stated === null ? file.bytes : received + Number(stated);
  const output = createWriteStream(target, { flags: resumed ? "a" : "w" });
  try {
    for await (const piece of patiently(response.body, options)) {
      if (!output.write(piece)) await once(output, "drain");
      received += piece.length;
      yield { kind: "progress", file: file.name, received, total };
    }
  } finally {
    output.end();
    await finished(output);
  }
  if (stated !== null && received < total) throw new Error(`the connection ended after ${received} of ${total} bytes`);
}

type RequestOptions = Pick<RequestInit, "method" | "redirect"> & { readonly headers?: { readonly [name: string]: string } };

async function request(
  url: string,
  { headers: from, ...init }: RequestOptions,
  { hub, patience, signal }: MirrorOptions,
): Promise<Response> {
  // A compressed answer would state the length of what is sent, not of the file.
  const headers = { "accept-encoding": "identity", ...from, ...(hub.token === undefined ? {} : { authorization: `Bearer ${hub.token}` }) };
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), patience.answer);
  // The body of the answer is bound to this signal too, but the timer ends with the headers.
  const either = signal === undefined ? late.signal : AbortSignal.any([signal, late.signal]);
  try {
    return await fetch(url, { ...init, headers, signal: either });
  } catch (cause) {
    signal?.throwIfAborted();
    if (late.signal.aborted) throw new Error(`no answer in ${patience.answer / 1000} s`, { cause });
    const inner = cause instanceof Error && cause.cause !== undefined ? cause.cause : cause;
    throw new Error(messageOf(inner), { cause });
  } finally {
    clearTimeout(timer);
  }
}

/** The pieces of a body, as long as they come. */
async function* patiently(body: ReadableStream<Uint8Array>, { patience, signal }: MirrorOptions): AsyncGenerator<Uint8Array, void, void> {
  const reader = body.getReader();
  try {
    for (;;) {
      signal?.throwIfAborted();
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new Error(`no byte in ${patience.stall / 1000} s`)), patience.stall);
      });
      const { done, value } = await Promise.race([reader.read(), late]).finally(() => clearTimeout(timer));
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

function refusal(status: number): string {
  const reasons: { readonly [status: number]: string } = {
    401: "it wants a token (HF_TOKEN)",
    403: "its licence must be accepted on the hub, and a token given (HF_TOKEN)",
    404: "the file is not there",
  };
  return `HTTP ${status}${reasons[status] === undefined ? "" : `: ${reasons[status]}`}`;
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch {
    return 0;
  }
}
