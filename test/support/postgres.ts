// A Postgres of the test's own, from the machine's package: a fresh cluster in a temporary folder, reached by a socket there.
import { execFile } from "node:child_process";
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const debian = "/usr/lib/postgresql";

/** Folder of initdb and postgres; undefined where there is no Postgres, or no user but root to run it. */
export function postgresPrograms(): string | undefined {
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : [];
  const folders = [...versions.map((version) => join(debian, version, "bin")), ...(process.env["PATH"] ?? "").split(":")];
  const found = folders.find((folder) => existsSync(join(folder, "initdb")) && existsSync(join(folder, "postgres")));
  return process.getuid?.() === 0 && userIds() === undefined ? undefined : found;
}

/** Postgres refuses to run as root: then its own user does. */
function userIds(): { readonly uid: number; readonly gid: number } | undefined {
  const line = /^postgres:[^:]*:(\d+):(\d+):/m.exec(readFileSync("/etc/passwd", "utf8"));
  return line === null ? undefined : { uid: Number(line[1]), gid: Number(line[2]) };
}

export interface TestPostgres extends AsyncDisposable {
  /** `postgres://...` of the database "postgres". */
  readonly address: string;
}

/** Starts it; dispose it to stop it and remove its folder. */
export async function startPostgres(programs: string): Promise<TestPostgres> {
  const folder = mkdtempSync(join(tmpdir(), "sartor-postgres-"));
  const user = process.getuid?.() === 0 ? userIds()! : undefined;
  if (user !== undefined) chownSync(folder, user.uid, user.gid);
  const data = join(folder, "data");
  const run = async (program: string, ...given: readonly string[]): Promise<void> => {
    const options = { ...user, cwd: folder, env: { PATH: process.env["PATH"], LC_ALL: "C.UTF-8" } };
    await promisify(execFile)(join(programs, program), ["-D", data, ...given], options);
  };
  await run("initdb", "-U", "sartor", "-A", "trust", "--no-sync", "-E", "UTF8");
  // The socket's folder is the only way in: no port can be taken.
  await run("pg_ctl", "-w", "-l", join(folder, "log"), "-o", `-k ${folder} -c listen_addresses= -c fsync=off`, "start");
  return {
    address: `postgres://sartor@localhost:5432/postgres?host=${encodeURIComponent(folder)}`,
    [Symbol.asyncDispose]: async () => {
      await run("pg_ctl", "-w", "-m", "immediate", "stop");
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
