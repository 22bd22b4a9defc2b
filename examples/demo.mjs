// `npm run demo [-- questions | routing | extraction] [-- --full]`: the comparison on a task that comes with this project.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const names = ["questions", "routing", "extraction"];
const given = process.argv.slice(2);
const full = given.includes("--full");
const [name = "questions", ...rest] = given.filter((argument) => argument !== "--full");
if (!names.includes(name)) {
  process.stderr.write(`demo: No task "${name}". There are: ${names.join(", ")}.\n`);
  process.exit(1);
}
const task = fileURLToPath(new URL(name, import.meta.url));
const main = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));
const { status } = spawnSync(process.execPath, [main, "compare", task, "--budget", full ? "90m" : "10m", ...rest], { stdio: "inherit" });
process.exit(status ?? 1);
