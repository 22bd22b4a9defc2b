// Marks that steer a model where they stand in a prompt: what a chat template writes around messages, and the ones that are known of models
// behind servers. Knows no vocabulary.
import { escaped, patternBreaker, type BreakNames } from "../util/break-names.ts";

/** `<|im_end|>`, `<｜User｜>`, `<<SYS>>`, `</think>`, `[INST]`. */
const shape = /<\|[^|<>]{1,60}\|>|<｜[^｜<>]{1,60}｜>|<<\/?[A-Za-z]\w{0,60}>>|<\/?[A-Za-z]\w{0,60}>|\[\/?[A-Z][A-Z_]{1,60}\]/gu;

/** The marks in the source of a template, or in what it wrote. */
export function marksIn(text: string): readonly string[] {
  return [...new Set(text.match(shape))];
}

/** Marks of the Llama, Mistral, Gemma, T5, GLM, Qwen and DeepSeek families; `<|...|>` and its like are known by their shape. */
const known = [
  ..."<s> </s> <bos> <eos> <pad> <unk> <mask> <sop> <eop> [gMASK] [BOS] [EOS] [UNK] [PAD] [MASK] [CLS] [SEP] [INST] [/INST]".split(" "),
  ..."<<SYS>> <</SYS>> [SYSTEM_PROMPT] [/SYSTEM_PROMPT] [AVAILABLE_TOOLS] [/AVAILABLE_TOOLS] [TOOL_CALLS] [TOOL_RESULTS]".split(" "),
  ..."[/TOOL_RESULTS] [ARGS] [CALL_ID] [THINK] [/THINK] <start_of_turn> <end_of_turn> <start_of_image> <end_of_image> <think>".split(" "),
  ..."</think> <tool_call> </tool_call> <tool_response> </tool_response> <file_sep> <repo_name>".split(" "),
];

/** For a model whose vocabulary nobody here can ask. */
export const breakKnownMarks: BreakNames = patternBreaker(
  String.raw`<\|[^|<>]{1,60}\|>|<｜[^｜<>]{1,60}｜>|<(?:unused|reserved_|extra_id_)\d{1,4}>|${known.map(escaped).join("|")}`,
);
