// Copies what tsc leaves behind: texts that the code reads beside itself.
import { cpSync } from "node:fs";

cpSync(new URL("src/evaluate/general", import.meta.url), new URL("dist/evaluate/general", import.meta.url), { recursive: true });
