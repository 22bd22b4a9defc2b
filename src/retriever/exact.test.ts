import { testVectorStore } from "../../test/conformance/vector-store.ts";
import { exactStore } from "./exact.ts";

testVectorStore("memory", async (dimensions) => {
  const store = exactStore(dimensions);
  return { store, close: async () => store[Symbol.asyncDispose]() };
});
