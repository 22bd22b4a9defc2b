"""The peer of bench/architectures.ts: tiny models of each architecture in transformers, bare and with the adapter that PEFT loads.

Takes a folder; each folder in it holds model.json (configuration, tokens), weights.safetensors under GGUF names, peft/ (the adapter)
and logits.safetensors (bare and adapted, by the training graph). Prints one line of JSON a model: the largest gap of log-probabilities.
"""

import json
import pathlib
import sys

import torch
from peft import PeftModel
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, Gemma3TextConfig, LlamaConfig, Phi3Config, Qwen2Config, Qwen3Config

sys.path.append(str(pathlib.Path(__file__).parents[2] / "src/nn/fixtures"))
from tiny_architectures import GEMMA_NORMS, NORMS, biases, fused, head_norms, separate, unpermute  # noqa: E402

torch.set_num_threads(1)
CONFIGS = {"llama": LlamaConfig, "qwen2": Qwen2Config, "qwen3": Qwen3Config, "gemma3": Gemma3TextConfig, "phi3": Phi3Config}


def build(config):
    name, head_dim = config["architecture"], config["headDim"]
    more = {} if name in ("qwen2", "phi3") else {"head_dim": head_dim}
    if name == "gemma3":
        kinds = ["sliding_attention" if sliding else "full_attention" for sliding in config["sliding"]["layers"]]
        more.update(query_pre_attn_scalar=head_dim, sliding_window=config["sliding"]["window"], layer_types=kinds)
    described = CONFIGS[name](
        vocab_size=config["vocabulary"], hidden_size=config["width"], intermediate_size=config["hidden"], num_hidden_layers=config["layers"],
        num_attention_heads=config["heads"], num_key_value_heads=config["kvHeads"], max_position_embeddings=config["context"],
        rms_norm_eps=config["epsilon"], tie_word_embeddings=config["tied"], attn_implementation="eager", pad_token_id=0, bos_token_id=1, eos_token_id=2, **more,
    )
    model = AutoModelForCausalLM.from_config(described).float().eval()
    # The tables themselves, so that any stretching can be told.
    plain = lambda base: 1.0 / base ** (torch.arange(0, head_dim, 2).float() / head_dim)
    full = plain(config["ropeBase"]) / torch.tensor(config.get("ropeDivisor", 1.0))
    rotary = model.model.rotary_emb
    if name == "gemma3":
        rotary.full_attention_inv_freq.copy_(full)
        rotary.sliding_attention_inv_freq.copy_(plain(config["sliding"]["ropeBase"]))
    else:
        rotary.inv_freq.copy_(full)
    return model


def load(model, config, weights):
    name, heads, kv, dim = config["architecture"], config["heads"], config["kvHeads"], config["headDim"]
    layer = {**(GEMMA_NORMS if name == "gemma3" else NORMS), **(fused if name == "phi3" else separate)(heads, kv, dim)}
    layer.update(biases(heads, kv, dim) if name == "qwen2" else head_norms(dim) if name in ("qwen3", "gemma3") else {})
    names = {"token_embd.weight": "model.embed_tokens.weight", "output_norm.weight": "model.norm.weight", "output.weight": "lm_head.weight"}
    for index in range(config["layers"]):
        names.update({f"blk.{index}.{tensor}": f"model.layers.{index}.{target}" for tensor, (target, _) in layer.items()})
    values = {}
    for tensor, value in weights.items():
        if name == "gemma3" and tensor.endswith("norm.weight"):
            value = value - 1.0
        if name == "llama" and tensor.endswith(("attn_q.weight", "attn_k.weight")):
            value = unpermute(value, heads if "attn_q" in tensor else kv)
        values[names[tensor]] = value
    values.setdefault("lm_head.weight", values["model.embed_tokens.weight"])
    model.load_state_dict(values)


@torch.no_grad()
def gap(model, tokens, expected):
    found = model(torch.tensor([tokens])).logits[0]
    return (found.log_softmax(-1) - expected.log_softmax(-1)).abs().max().item()


for folder in sorted(path for path in pathlib.Path(sys.argv[1]).iterdir() if path.is_dir()):
    described = json.loads((folder / "model.json").read_text())
    expected = load_file(folder / "logits.safetensors")
    model = build(described["config"])
    load(model, described["config"], load_file(folder / "weights.safetensors"))
    bare = gap(model, described["tokens"], expected["bare"])
    adapted = gap(PeftModel.from_pretrained(model, folder / "peft").eval(), described["tokens"], expected["adapted"])
    print(json.dumps({"name": folder.name, "bare": bare, "adapted": adapted}), flush=True)
