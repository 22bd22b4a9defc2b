"""The peer of bench/exactness.ts: the same model, adapter and batches by transformers and PEFT in fp32.

Arguments: the folder of the model (config.json, model.safetensors) and the number of threads. Reads one JSON command a line and
answers each with one line; tensors go through safetensors files.

  {"command": "gradients", "adapter": folder, "sequences": [...], "to": folder}     -> {"loss": ...}, gradients laid out as a PEFT adapter
  {"command": "steps", "adapter": folder, "updates": [[...], ...], "learningRates": [...], "maxNorm": ...}  -> {"losses": [...]}
  {"command": "logits", "adapter": folder, "texts": [[token, ...], ...], "to": file}  -> {}, tensors "0", "1", ... of [tokens, vocabulary]

A sequence is {"tokens": [...], "promptLength": n}; the tokens from n on are learnt.
"""

import json
import os
import shutil
import sys
import warnings

warnings.simplefilter("ignore")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch
from peft import PeftModel
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM
from transformers.utils import logging

logging.disable_progress_bar()

folder, threads = sys.argv[1], int(sys.argv[2])
torch.set_num_threads(threads)


def load(adapter, trainable):
    base = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager")
    model = PeftModel.from_pretrained(base, adapter, is_trainable=trainable)
    return model.train(trainable)


def loss_of(model, sequences):
    """Mean cross-entropy of the completions' tokens; shorter sequences are filled up at the end, where nothing looks at it."""
    time = max(len(sequence["tokens"]) for sequence in sequences)
    tokens = torch.zeros(len(sequences), time, dtype=torch.long)
    labels = torch.full((len(sequences), time), -100)
    for row, sequence in enumerate(sequences):
        given, start = torch.tensor(sequence["tokens"]), max(sequence["promptLength"], 1)
        tokens[row, : len(given)] = given
        labels[row, start : len(given)] = given[start:]
    logits = model(input_ids=tokens[:, :-1], use_cache=False).logits
    return torch.nn.functional.cross_entropy(logits.flatten(0, 1), labels[:, 1:].flatten(), ignore_index=-100)


def trained(model):
    return {name.replace(".default", ""): parameter for name, parameter in model.named_parameters() if parameter.requires_grad}


def gradients(adapter, sequences, to):
    model = load(adapter, True)
    loss = loss_of(model, sequences)
    loss.backward()
    os.makedirs(to, exist_ok=True)
    save_file({name: parameter.grad for name, parameter in trained(model).items()}, os.path.join(to, "adapter_model.safetensors"))
    shutil.copy(os.path.join(adapter, "adapter_config.json"), to)
    return {"loss": loss.item()}


def steps(adapter, updates, learningRates, maxNorm):
    model = load(adapter, True)
    parameters = list(trained(model).values())
    optimiser = torch.optim.AdamW(parameters, weight_decay=0.0)
    losses = []
    for sequences, rate in zip(updates, learningRates):
        for group in optimiser.param_groups:
            group["lr"] = rate
        loss = loss_of(model, sequences)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, maxNorm)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        losses.append(loss.item())
    return {"losses": losses}


@torch.no_grad()
def logits(adapter, texts, to):
    model = load(adapter, False)
    save_file({str(index): model(input_ids=torch.tensor([tokens])).logits[0].contiguous() for index, tokens in enumerate(texts)}, to)
    return {}


commands = {"gradients": gradients, "steps": steps, "logits": logits}
for line in sys.stdin:
    given = json.loads(line)
    print(json.dumps(commands[given.pop("command")](**given)), flush=True)
