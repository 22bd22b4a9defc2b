// The multi-modal models that are known, as transformers.js names their classes, files and outputs.
import type { MediaKind } from "../model.ts";

export interface Tower {
  /** Class of transformers.js. */
  readonly model: string;
  /** Without its folder and ending. */
  readonly file: string;
  readonly output: string;
}

export interface Family {
  readonly text: Tower & { readonly padding: true | "max_length" };
  readonly media: Tower & { readonly kind: MediaKind };
}

/** By the `model_type` of config.json. */
export const families: { readonly [type: string]: Family } = {
  // Radford et al. 2021, "Learning transferable visual models from natural language supervision".
  clip: {
    text: { model: "CLIPTextModelWithProjection", file: "text_model", output: "text_embeds", padding: true },
    media: { kind: "image", model: "CLIPVisionModelWithProjection", file: "vision_model", output: "image_embeds" },
  },
  // Zhai et al. 2023, "Sigmoid loss for language image pre-training"; trained with every text padded to one length.
  siglip: {
    text: { model: "SiglipTextModel", file: "text_model", output: "pooler_output", padding: "max_length" },
    media: { kind: "image", model: "SiglipVisionModel", file: "vision_model", output: "pooler_output" },
  },
  // Wu et al. 2023, "Large-scale contrastive language-audio pretraining with feature fusion".
  clap: {
    text: { model: "ClapTextModelWithProjection", file: "text_model", output: "text_embeds", padding: true },
    media: { kind: "sound", model: "ClapAudioModelWithProjection", file: "audio_model", output: "audio_embeds" },
  },
};
