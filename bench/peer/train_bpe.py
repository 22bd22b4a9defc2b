"""The peer of bench/tokenizer.ts: byte-level BPE by the Python package `tokenizers`. Answers each line with merges and seconds."""

import json
import sys
import time

from tokenizers import Tokenizer, models, pre_tokenizers, trainers

options = json.loads(sys.argv[1])
text = open(options["path"], encoding="utf-8", newline="").read()

for _ in sys.stdin:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=options["vocabularySize"], special_tokens=options["specialTokens"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False,
    )
    started = time.perf_counter()
    tokenizer.train_from_iterator([text], trainer)
    trained = time.perf_counter()
    ids = tokenizer.encode(text, add_special_tokens=False).ids
    encoded = time.perf_counter()
    merges = [" ".join(merge) for merge in json.loads(tokenizer.to_str())["model"]["merges"]]
    print(json.dumps({"merges": merges, "ids": ids, "seconds": trained - started, "encodeSeconds": encoded - trained}), flush=True)
