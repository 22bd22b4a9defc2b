"""The peer of bench/pretrain.ts: a small GPT-2 trained on characters by PyTorch, with the recipe of nanoGPT's README for a CPU.

Reads one JSON command a line: {"steps": 100} trains on, {"evaluate": true} gives the mean loss of a validation character in nats.
Answers with {"seconds": ..., "loss": ...}. Windows are drawn at random from the training text, as in the recipe.
"""

import json
import math
import os
import sys
import time

# Threads that wait must not take the cores from the other side.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch
from torch import nn
from torch.nn import functional

recipe = json.loads(sys.argv[1])
torch.set_num_threads(recipe["threads"])
torch.manual_seed(recipe["seed"])
LAYERS, HEADS, WIDTH, CONTEXT = (recipe[key] for key in ("layers", "heads", "width", "context"))

text = open(recipe["path"], encoding="utf-8").read()
characters = {character: index for index, character in enumerate(sorted(set(text)))}
tokens = torch.tensor([characters[character] for character in text])
cut = int(len(tokens) * 0.9)
train, validation = tokens[:cut], tokens[cut:]


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention_norm = nn.LayerNorm(WIDTH, bias=False)
        self.query_key_value = nn.Linear(WIDTH, 3 * WIDTH, bias=False)
        self.attention_output = nn.Linear(WIDTH, WIDTH, bias=False)
        self.hidden_norm = nn.LayerNorm(WIDTH, bias=False)
        self.up = nn.Linear(WIDTH, 4 * WIDTH, bias=False)
        self.down = nn.Linear(4 * WIDTH, WIDTH, bias=False)

    def forward(self, x):
        batch, length, _ = x.shape
        heads = [y.view(batch, length, HEADS, -1).transpose(1, 2) for y in self.query_key_value(self.attention_norm(x)).split(WIDTH, dim=2)]
        context = functional.scaled_dot_product_attention(*heads, is_causal=True)
        x = x + self.attention_output(context.transpose(1, 2).reshape(batch, length, WIDTH))
        return x + self.down(functional.gelu(self.up(self.hidden_norm(x))))


class Gpt(nn.Module):
    def __init__(self):
        super().__init__()
        self.tokens = nn.Embedding(len(characters), WIDTH)
        self.positions = nn.Embedding(CONTEXT, WIDTH)
        self.blocks = nn.ModuleList(Block() for _ in range(LAYERS))
        self.norm = nn.LayerNorm(WIDTH, bias=False)
        for name, parameter in self.named_parameters():
            if parameter.dim() == 2:
                residual = name.endswith(("attention_output.weight", "down.weight"))
                nn.init.normal_(parameter, std=0.02 / math.sqrt(2 * LAYERS) if residual else 0.02)

    def forward(self, inputs, labels):
        x = self.tokens(inputs) + self.positions(torch.arange(inputs.shape[1]))
        for block in self.blocks:
            x = block(x)
        logits = self.norm(x) @ self.tokens.weight.T
        return functional.cross_entropy(logits.flatten(0, 1), labels.flatten())


model = Gpt()
groups = [
    {"params": [p for p in model.parameters() if p.dim() >= 2], "weight_decay": recipe["weightDecay"]},
    {"params": [p for p in model.parameters() if p.dim() < 2], "weight_decay": 0.0},
]
# Fused is the quickest of PyTorch's implementations on a CPU.
optimiser = torch.optim.AdamW(groups, lr=recipe["learningRate"], betas=(0.9, 0.99), fused=True)
taken = 0


def rate(step):
    if step < recipe["warmupSteps"]:
        return recipe["learningRate"] * (step + 1) / (recipe["warmupSteps"] + 1)
    share = (step - recipe["warmupSteps"]) / (recipe["steps"] - recipe["warmupSteps"])
    least = recipe["learningRate"] / 10
    return least + 0.5 * (1 + math.cos(math.pi * share)) * (recipe["learningRate"] - least)


def train_step():
    global taken
    for group in optimiser.param_groups:
        group["lr"] = rate(taken)
    starts = torch.randint(len(train) - CONTEXT, (recipe["batchSize"],))
    rows = torch.stack([train[start : start + CONTEXT + 1] for start in starts])
    loss = model(rows[:, :-1], rows[:, 1:])
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimiser.step()
    optimiser.zero_grad(set_to_none=True)
    taken += 1
    return loss.item()


@torch.no_grad()
def evaluate():
    # Windows side by side, each character but the first predicted once: what the other side measures.
    count = (len(validation) - 1) // CONTEXT
    rows = torch.stack([validation[i * CONTEXT : (i + 1) * CONTEXT + 1] for i in range(count)])
    losses = [(model(part[:, :-1], part[:, 1:]).item(), len(part)) for part in rows.split(recipe["batchSize"])]
    return sum(loss * size for loss, size in losses) / count


for line in sys.stdin:
    command = json.loads(line)
    started = time.perf_counter()
    loss = evaluate() if command.get("evaluate") else [train_step() for _ in range(command["steps"])][-1]
    print(json.dumps({"seconds": time.perf_counter() - started, "loss": loss}), flush=True)
