// A Postgres of its own for a test, in a temp folder: its programs from Debian's packages, or from SARTOR_POSTGRES.
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { chown, mkdtemp, rm } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

const run = promisify(execFile);
const debian = "/usr/lib/postgresql";
/** Postgres does not run as root. */
const nobody = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};

/** The folder of a Postgres, with pgvector where that is wanted, or why there is none. */
export async function findPostgres({ pgvector = false } = {}): Promise<{ readonly programs: string } | { readonly absent: string }> {
  const given = process.env["SARTOR_POSTGRES"];
  const folders =
    given === undefined ? (existsSync(debian) ? readdirSync(debian).map((version) => join(debian, version, "bin")) : []) : [given];
  const programs = folders.find((folder) => existsSync(join(folder, "initdb")) && existsSync(join(folder, "postgres")));
  if (programs === undefined) return { absent: "there is no Postgres here (Debian: apt install postgresql)" };
  if (!pgvector) return { programs };
  const { stdout } = await run(join(programs, "pg_config"), ["--sharedir"]).catch(() => ({ stdout: "" }));
  const shares = [stdout.trim(), join(dirname(programs), "share", "postgresql")];
  if (shares.some((share) => existsSync(join(share, "extension", "vector.control")))) return { programs };
  return { absent: "Postgres is here without pgvector (Debian: apt install postgresql-15-pgvector)" };
}

/** Starts a server on a free port of this machine, which goes with its data when disposed. */
export async function startPostgres(programs: string): Promise<{ readonly url: string } & AsyncDisposable> {
  const folder = await mkdtemp(join(tmpdir(), "sartor-pg-"));
  if (nobody.uid !== undefined) await chown(folder, nobody.uid, nobody.gid);
  const data = join(folder, "data");
  const port = await freePort();
  await run(join(programs, "initdb"), ["-D", data, "-U", "sartor", "--auth=trust", "--no-sync", "-E", "UTF8"], { ...nobody, cwd: folder });
  const server = spawn(join(programs, "postgres"), ["-D", data, "-k", folder, "-h", "127.0.0.1", "-p", String(port), "-F"], {
    ...nobody,
    cwd: folder,
    stdio: "ignore",
  });
  const exited = once(server, "exit");
  const socket = join(folder, `.s.PGSQL.${port}`);
  for (let tries = 0; !existsSync(socket) && tries < 100; tries++) await sleep(100);
  return {
    url: `postgres://sartor@127.0.0.1:${port}/postgres`,
    [Symbol.asyncDispose]: async () => {
      server.kill("SIGINT");
      await exited;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}
