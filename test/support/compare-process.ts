// A comparison in a process of its own, for the test that kills it: one line an event.
import { compare } from "../../src/adapt.ts";
import { tinyEnvironment } from "./tiny-task.ts";

const [path = "", id = ""] = process.argv.slice(2);
for await (const event of compare({ path, environment: tinyEnvironment, id, now: new Date(0), effort: "brief" })) {
  const step = event.kind === "build" && event.event?.kind === "progress" ? event.event.step : "";
  process.stdout.write(`${event.kind} ${step}\n`);
}
