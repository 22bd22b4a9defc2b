"""The peer of bench/train.ts: training steps of a llama-shaped model by PyTorch in fp32, of LoRA by PEFT or of all weights.

Reads one JSON command a line: {"batches": [[{"length": 256, "completion": 64}, ...], ...], "passes": 2}; a batch is a step. Answers
with the seconds of each pass and the peak memory of the process. Weights are random: they do not change how long a step takes. With
--bf16 products are in bf16 by autocast, for processors with AMX.
"""

import json
import os
import resource
import sys
import time

# Threads that wait must not take the cores from the other side.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch
from transformers import LlamaConfig, LlamaForCausalLM

shape = json.loads(sys.argv[1])
bf16 = "--bf16" in sys.argv
torch.set_num_threads(shape["threads"])
torch.manual_seed(0)
config = LlamaConfig(
    vocab_size=shape["vocabulary"], hidden_size=shape["width"], intermediate_size=shape["hidden"], num_hidden_layers=shape["layers"],
    num_attention_heads=shape["heads"], num_key_value_heads=shape["kvHeads"], rms_norm_eps=shape["epsilon"],
    max_position_embeddings=shape["context"], tie_word_embeddings=True, use_cache=False,
)
model = LlamaForCausalLM(config).float()
if not shape["full"]:
    from peft import LoraConfig, get_peft_model

    targets = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
    model = get_peft_model(model, LoraConfig(r=shape["rank"], lora_alpha=shape["alpha"], target_modules=targets, task_type="CAUSAL_LM"))
model.train()
trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
optimiser = torch.optim.AdamW(trained, lr=1e-4, weight_decay=0.0)


def tensors(batch):
    """Inputs and labels, filled up to the longest: a text of n tokens read predicts one more, as on the other side."""
    longest = max(sequence["length"] for sequence in batch)
    tokens = torch.randint(0, shape["vocabulary"], (len(batch), longest + 1))
    labels = torch.full((len(batch), longest), -100)
    mask = torch.zeros((len(batch), longest), dtype=torch.long)
    for row, sequence in enumerate(batch):
        length = sequence["length"]
        mask[row, :length] = 1
        start = length - sequence["completion"]
        labels[row, start:length] = tokens[row, start + 1 : length + 1]
    return tokens[:, :-1], labels, None if bool(mask.all()) else mask


def step(batch):
    tokens, labels, mask = tensors(batch)
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bf16):
        logits = model(input_ids=tokens, attention_mask=mask).logits
    loss = torch.nn.functional.cross_entropy(logits.float().flatten(0, 1), labels.flatten(), ignore_index=-100)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(trained, 1.0)
    optimiser.step()
    optimiser.zero_grad(set_to_none=True)
    loss.item()


def one_pass(batches):
    started = time.perf_counter()
    for batch in batches:
        step(batch)
    return time.perf_counter() - started


for line in sys.stdin:
    command = json.loads(line)
    seconds = [one_pass(command["batches"]) for _ in range(command["passes"])]
    print(json.dumps({"seconds": seconds, "peakMemoryBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}), flush=True)
