// A linear map of query embeddings, learnt from questions and the passages that answer them. Passages keep the embeddings they have.
import { UserError } from "../errors.ts";
import { readSafetensor, readSafetensors, writeSafetensors } from "../weights/safetensors.ts";
import { innerProduct } from "./similarity.ts";

export interface QueryMap {
  readonly dimensions: number;
  /** [dimensions, dimensions], row-major. */
  readonly matrix: Float32Array;
}

const TENSOR = "query_map";

/** The map of a query's embedding as a unit vector. */
export function mapQuery({ dimensions, matrix }: QueryMap, vector: Float32Array): Float32Array {
  if (vector.length !== dimensions)
    throw new UserError(`The tuned embeddings map ${dimensions} numbers, and the embedding model gives ${vector.length}. Tune them again.`);
  const mapped = vector.map((_, row) => innerProduct(matrix.subarray(row * dimensions, (row + 1) * dimensions), vector));
  const length = Math.hypot(...mapped);
  return length === 0 ? mapped : mapped.map((value) => value / length);
}

/** As safetensors. */
export async function writeQueryMap(path: string, { dimensions, matrix }: QueryMap): Promise<void> {
  await writeSafetensors({ path, tensors: [{ name: TENSOR, shape: [dimensions, dimensions], type: "F32", data: matrix }] });
}

/** @throws {UserError} where the file is missing or holds no map. */
export async function readQueryMap(path: string): Promise<QueryMap> {
  const file = await readSafetensors(path);
  const matrix = await readSafetensor(file, TENSOR);
  return { dimensions: file.tensors.get(TENSOR)!.shape[0]!, matrix };
}
