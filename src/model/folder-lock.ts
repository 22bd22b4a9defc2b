// One process at a time in a folder, also over a network drive: a lock file that its holder keeps fresh.
import { randomUUID } from "node:crypto";
import { readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

export interface FolderLockOptions {
  readonly folder: string;
  /** Milliseconds after which a lock that nobody refreshed counts as left behind by a process that died. */
  readonly stale?: number;
  readonly signal?: AbortSignal | undefined;
}

/** Waits until the folder is free and holds it until disposed. */
export async function lockFolder({ folder, stale = 15_000, signal }: FolderLockOptions): Promise<AsyncDisposable> {
  const path = join(folder, ".lock");
  const token = `${hostname()} ${process.pid} ${randomUUID()}`;
  const leftBehind = async (file: string): Promise<boolean> => (await ageOf(file)) > stale || (await holderDied(file));
  while (!(await created(path, token))) {
    if (await leftBehind(path)) await removeLeftBehind(path, leftBehind);
    else await sleep(200, undefined, signal === undefined ? {} : { signal });
  }
  const fresh = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch(() => undefined);
  }, stale / 5);
  fresh.unref();
  return {
    [Symbol.asyncDispose]: async () => {
      clearInterval(fresh);
      // Another may have taken over a lock that went stale while this machine slept.
      if ((await readFile(path, "utf8").catch(() => "")) === token) await rm(path, { force: true });
    },
  };
}

async function created(path: string, token: string): Promise<boolean> {
  try {
    await writeFile(path, token, { flag: "wx" });
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // Windows says so while a removed file is still open somewhere.
    if (code === "EEXIST" || code === "EPERM" || code === "EBUSY") return false;
    throw error;
  }
}

async function ageOf(path: string): Promise<number> {
  try {
    return Date.now() - (await stat(path)).mtimeMs;
  } catch {
    return 0;
  }
}

/** Whether a process of this machine held it that is no more: then nobody need wait. */
async function holderDied(path: string): Promise<boolean> {
  const [host, pid] = (await readFile(path, "utf8").catch(() => "")).split(" ");
  if (host !== hostname() || !/^\d+$/u.test(pid ?? "")) return false;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
}

/** Moved away before it is removed, so that of two who find it left behind only one removes it. */
async function removeLeftBehind(path: string, leftBehind: (file: string) => Promise<boolean>): Promise<void> {
  const aside = `${path}.${randomUUID()}`;
  try {
    await rename(path, aside);
  } catch {
    return;
  }
  // Somebody else removed the old one and made a lock of their own just before: give it back.
  if (await leftBehind(aside)) await rm(aside, { force: true });
  else await rename(aside, path);
}
