"""The peer of bench/embed.ts: sentence-transformers in 32-bit floats over the weights that it is given.

Reads one line of JSON: {"texts": [...]}; answers with {"seconds": ..., "vectors": [...]} for all of them, in batches of its own choice.
"""

import json
import os
import sys
import time

# Threads that wait must not take the cores from the other side.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch
from sentence_transformers import SentenceTransformer

options = json.loads(sys.argv[1])
torch.set_num_threads(options["threads"])
model = SentenceTransformer(options["folder"], device="cpu")
model.encode(["warm"] * 32)

for line in sys.stdin:
    texts = json.loads(line)["texts"]
    started = time.perf_counter()
    vectors = model.encode(texts, normalize_embeddings=True, show_progress_bar=False)
    seconds = time.perf_counter() - started
    print(json.dumps({"seconds": seconds, "vectors": vectors.tolist()}), flush=True)
