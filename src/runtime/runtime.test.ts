import { create, toBinary } from "@bufbuild/protobuf";
import { ModelProtoSchema, TensorProto_DataType as DataType } from "onnx-buf";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Runtime, startRuntime } from "./runtime.ts";
import { sha256 } from "../util/hash.ts";
import { float32, int64 } from "./tensor.ts";

let runtime: Runtime;
beforeAll(() => {
  runtime = startRuntime({ threads: 2 });
});
afterAll(() => runtime[Symbol.asyncDispose]());

test("a session adds two tensors", async () => {
  const session = await runtime.load({ source: { bytes: model("Add") } });
  const { y } = await session.run({ a: float32(Float32Array.of(1, 2), [2]), b: float32(Float32Array.of(10, 20), [2]) });
  expect(session.inputNames).toEqual(["a", "b"]);
  expect(session.outputNames).toEqual(["y"]);
  expect(y).toEqual({ type: "float32", data: Float32Array.of(11, 22), dims: [2] });
  await session.release();
  await expect(session.run({})).rejects.toThrow("has been released");
});

test("a provider that this machine lacks is one line that names it and the way out", async () => {
  const lacking = process.platform === "darwin" ? "dml" : "coreml";
  await using other = startRuntime({ threads: 1, provider: lacking });
  await expect(other.load({ source: { bytes: model("Add") } })).rejects.toThrow(
    new RegExp(`^The provider "${lacking}" cannot be used here \\(.+\\)\\. Use "cpu", or install what it needs\\.$`, "u"),
  );
});

test("whole numbers come back as they went in", async () => {
  await using session = await runtime.load({ source: { bytes: model("Mul", DataType.INT64) } });
  const { y } = await session.run({ a: int64([3, -4], [2]), b: int64([5, 6], [2]) });
  expect(y).toEqual({ type: "int64", data: BigInt64Array.of(15n, -24n), dims: [2] });
});

test("bound inputs and outputs stay in buffers between runs, and may be one and the same", async () => {
  await runtime.allocate("state", 7);
  await runtime.write("state", Float32Array.of(1, 2, 3), 1);
  const view = { buffer: "state", offset: 1, dims: [3] };
  await using session = await runtime.load({ source: { bytes: model("Add") }, inputs: { a: view }, outputs: { y: view } });
  const b = float32(Float32Array.of(10, 20, 30), [3]);
  expect(await session.run({ b })).toEqual({});
  await session.run({ b });
  expect(await runtime.read("state", 0, 7)).toEqual(Float32Array.of(0, 21, 42, 63, 0, 0, 0));

  const elsewhere = { buffer: "state", offset: 4, dims: [3] };
  await session.run({ b }, { outputs: { y: elsewhere } });
  expect(await runtime.read("state", 4, 3)).toEqual(Float32Array.of(31, 62, 93));
  await runtime.free("state");
  await expect(runtime.read("state", 0, 1)).rejects.toThrow('No buffer "0/state".');
});

test("large arrays and views into larger ones are written as they are", async () => {
  const numbers = Float32Array.from({ length: 2 ** 22 + 7 }, (_, index) => index);
  await runtime.allocate("large", numbers.length + 1);
  await runtime.write("large", numbers, 1);
  await runtime.write("large", numbers.subarray(5, 7), 3);
  const read = await runtime.read("large", 0, numbers.length + 1);
  expect(read.subarray(0, 6)).toEqual(Float32Array.of(0, 0, 1, 5, 6, 4));
  expect(Buffer.from(read.buffer, 24).equals(Buffer.from(numbers.buffer, 20))).toBe(true);
  await runtime.free("large");
});

test("a view outside its buffer is an error, not another tensor's memory", async () => {
  await runtime.allocate("small", 2);
  await using session = await runtime.load({ source: { bytes: model("Add") }, inputs: { a: { buffer: "small", offset: 1, dims: [2] } } });
  await expect(session.run({ b: float32(new Float32Array(2), [2]) })).rejects.toThrow("holds 2 numbers, asked for 2 from 1");
});

test("two handles share the thread and not their buffers", async () => {
  await using other = startRuntime({ threads: 1 });
  await runtime.allocate("name", 1);
  await other.allocate("name", 1);
  await other.write("name", Float32Array.of(7));
  expect(await runtime.read("name", 0, 1)).toEqual(Float32Array.of(0));
});

test("a broken model file is an error that says so, and the thread goes on", async () => {
  await expect(runtime.load({ source: { bytes: Uint8Array.of(1, 2, 3) } })).rejects.toThrow(/protobuf|parse/i);
  await using session = await runtime.load({ source: { bytes: model("Sub") } });
  const { y } = await session.run({ a: float32(Float32Array.of(1), [1]), b: float32(Float32Array.of(3), [1]) });
  expect(y?.data).toEqual(Float32Array.of(-2));
});

test("a function of another module is called in the runtime's thread", async () => {
  const url = new URL("../util/hash.ts", import.meta.url).href;
  expect(await runtime.compute(url, sha256, "abc")).toBe(sha256("abc"));
  await expect(runtime.compute(url, expect, "abc")).rejects.toThrow('exports no function "expect"');
});

test("the event loop turns while a run is under way", async () => {
  await using session = await runtime.load({ source: { bytes: model("MatMul") } });
  const size = 1024;
  const matrix = float32(new Float32Array(size * size).fill(0.5), [size, size]);
  let running = true;
  let turns = 0;
  const turn = () => {
    turns++;
    if (running) setImmediate(turn);
  };
  setImmediate(turn);
  const { y } = await session.run({ a: matrix, b: matrix });
  running = false;
  expect(y?.data[0]).toBe(size / 4);
  expect(turns).toBeGreaterThan(1);
});

function model(opType: string, elemType = DataType.FLOAT): Uint8Array {
  const info = (name: string) => ({ name, type: { value: { case: "tensorType" as const, value: { elemType } } } });
  const graph = { name: "test", node: [{ opType, input: ["a", "b"], output: ["y"] }], input: [info("a"), info("b")], output: [info("y")] };
  return toBinary(ModelProtoSchema, create(ModelProtoSchema, { irVersion: 10n, opsetImport: [{ domain: "", version: 21n }], graph }));
}
