// Adapters between the training engine, which holds them stacked, and LoRA weights by tensor.
import { stack, unstack } from "../../src/nn/lora.ts";
import { elementCount, type Parameter } from "../../src/nn/parameters.ts";
import type { Engine, StateBuffer } from "../../src/train/engine.ts";
import { seededRandom } from "../../src/util/random.ts";
import type { LoraTensor } from "../../src/weights/lora.ts";

/** A uniform in +-1/sqrt(inputs), as training begins; B normal with the deviation `b`: zero, as training begins, or not. */
export function initialAdapter({ model: { pairs } }: Engine, { b: deviation }: { readonly b: number }): readonly LoraTensor[] {
  const random = seededRandom("exactness");
  return pairs.flatMap(({ base, rank }) =>
    base.parts.map(({ tensor, rows }) => {
      const [, inputs = 0] = base.shape;
      const bound = 1 / Math.sqrt(inputs);
      return {
        target: tensor,
        a: Float32Array.from({ length: rank * inputs }, () => (2 * random.next() - 1) * bound),
        b: Float32Array.from({ length: rows * rank }, () => deviation * random.normal()),
        rank,
        inputs,
        outputs: rows,
      };
    }),
  );
}

/** Puts an adapter into the engine, as if no step had been taken. */
export async function begin(engine: Engine, adapter: readonly LoraTensor[]): Promise<void> {
  const tensors = new Map(adapter.map((tensor) => [tensor.target, tensor]));
  for (const pair of engine.model.pairs) {
    const { a, b } = stack(pair, tensors);
    await engine.write("parameter", a, engine.view(pair.a).offset);
    await engine.write("parameter", b, engine.view(pair.b).offset);
  }
  for (const moment of ["mean", "variance"] as const) await engine.write(moment, new Float32Array(engine.size), 0);
}

/** One of the engine's buffers, by tensor. */
export async function stateOf(engine: Engine, buffer: StateBuffer): Promise<readonly LoraTensor[]> {
  const read = (parameter: Parameter) => engine.read(buffer, engine.view(parameter).offset, elementCount(parameter));
  const tensors: LoraTensor[] = [];
  for (const pair of engine.model.pairs) tensors.push(...unstack(pair, await read(pair.a), await read(pair.b)));
  return tensors;
}
