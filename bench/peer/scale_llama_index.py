"""The peer of bench/scale.ts: LlamaIndex's default in-memory vector store, filled with given vectors. Answers a line with times and memory."""

import json
import resource
import sys
import time

import numpy as np
from llama_index.core.schema import TextNode
from llama_index.core.vector_stores import SimpleVectorStore, VectorStoreQuery

options = json.loads(sys.argv[1])
folder, warm_up = options["folder"], options["warmUp"]
dimensions = json.load(open(f"{folder}/dimensions.json"))
vectors = np.fromfile(f"{folder}/vectors.bin", dtype=np.float32).reshape(-1, dimensions)
queries = np.fromfile(f"{folder}/queries.bin", dtype=np.float32).reshape(-1, dimensions)

for _ in sys.stdin:
    started = time.perf_counter()
    store = SimpleVectorStore()
    for first in range(0, len(vectors), 10_000):
        part = vectors[first : first + 10_000]
        store.add([TextNode(id_=str(first + place), text="", embedding=row.tolist()) for place, row in enumerate(part)])
    built = time.perf_counter()
    times = []
    for query in queries:
        at = time.perf_counter()
        store.query(VectorStoreQuery(query_embedding=query.tolist(), similarity_top_k=10))
        times.append(1000 * (time.perf_counter() - at))
    times = sorted(times[warm_up:])
    pages = int(open("/proc/self/statm").read().split()[1])
    print(json.dumps({
        "seconds": built - started,
        "peak": 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
        "memory": pages * resource.getpagesize(),
        "p50": times[len(times) // 2],
        "p95": times[int(0.95 * len(times))],
    }), flush=True)
