"""The peer of bench/train.ts: LoRA steps of a llama-shaped model by PyTorch and PEFT in fp32.

Reads one JSON command a line: {"batch": 2, "time": 256, "completion": 256, "steps": 3}. Answers with the seconds of each step
and the peak memory of the process. Weights are random: they do not change how long a step takes.
"""

import json
import os
import resource
import sys
import time

# Threads that wait must not take the cores from the other side.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch
from peft import LoraConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM

shape = json.loads(sys.argv[1])
torch.set_num_threads(shape["threads"])
torch.manual_seed(0)
config = LlamaConfig(
    vocab_size=shape["vocabulary"], hidden_size=shape["width"], intermediate_size=shape["hidden"], num_hidden_layers=shape["layers"],
    num_attention_heads=shape["heads"], num_key_value_heads=shape["kvHeads"], rms_norm_eps=shape["epsilon"],
    max_position_embeddings=shape["context"], tie_word_embeddings=True, use_cache=False,
)
targets = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
lora = LoraConfig(r=shape["rank"], lora_alpha=shape["alpha"], target_modules=targets, task_type="CAUSAL_LM")
model = get_peft_model(LlamaForCausalLM(config).float(), lora)
model.train()
trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
optimiser = torch.optim.AdamW(trained, lr=1e-4, weight_decay=0.0)


def step(batch, length, completion):
    # One token more than is read: the last is only predicted, as on the other side.
    tokens = torch.randint(0, shape["vocabulary"], (batch, length + 1))
    labels = tokens.clone()
    labels[:, : length + 1 - completion] = -100
    started = time.perf_counter()
    # The shift is made here, so that no row is computed that predicts nothing past the end.
    logits = model(input_ids=tokens[:, :-1]).logits
    loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), labels[:, 1:].flatten(), ignore_index=-100)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(trained, 1.0)
    optimiser.step()
    optimiser.zero_grad(set_to_none=True)
    loss.item()
    return time.perf_counter() - started


def answer(value):
    print(json.dumps(value), flush=True)


answer({"trainedParameters": sum(parameter.numel() for parameter in trained)})
for line in sys.stdin:
    command = json.loads(line)
    seconds = [step(command["batch"], command["time"], command["completion"]) for _ in range(command["steps"])]
    answer({"seconds": seconds, "peakMemoryBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024})
