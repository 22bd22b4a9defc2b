// Sounds in WAV files: samples of any part of one, as one channel at any rate. Knows nothing of models.
import { Unreadable } from "../document/limits.ts";

export interface Wav {
  /** Of each channel. */
  readonly samples: number;
  /** Samples a second. */
  readonly rate: number;
  /** What its list of facts says of it: its name and its comment. */
  readonly facts: readonly string[];
  /** Samples `start` to `end`, the mean of all channels, from -1 to 1. */
  readonly read: (start: number, end: number) => Float32Array;
}

const again = "Save it again as WAV without compression.";

/** Throws Unreadable for bytes that are no WAV file, or one of another coding than whole and floating point numbers. */
export function readWav(bytes: Uint8Array): Wav {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 12 || text(bytes, 0, 4) !== "RIFF" || text(bytes, 8, 12) !== "WAVE") throw new Unreadable(`is no WAV file. ${again}`);
  const chunks = new Map(chunksOf(bytes, view, 12, bytes.length));
  const [format, data] = [chunks.get("fmt "), chunks.get("data")];
  if (format === undefined || data === undefined || format[1] - format[0] < 16) throw new Unreadable(`is a broken WAV file. ${again}`);
  const from = format[0];
  const [channels, rate, bits] = [view.getUint16(from + 2, true), view.getUint32(from + 4, true), view.getUint16(from + 14, true)];
  // The coding of an extensible format stands at the beginning of its long name.
  const tag = view.getUint16(from, true);
  const coding = tag === 0xfffe && format[1] - from >= 26 ? view.getUint16(from + 24, true) : tag;
  const number = readers[`${coding} ${bits}`];
  if (number === undefined || channels === 0 || rate === 0)
    throw new Unreadable(`is WAV of a coding that is not read (${coding}, ${bits} bits). ${again}`);
  const width = bits / 8;
  const samples = Math.floor((data[1] - data[0]) / (width * channels));
  if (samples === 0) throw new Unreadable("is a sound of no length. Leave it out.");
  const read = (start: number, end: number): Float32Array =>
    Float32Array.from({ length: end - start }, (_, index) => {
      let sum = 0;
      for (let channel = 0; channel < channels; channel++) sum += number(view, data[0] + ((start + index) * channels + channel) * width);
      return sum / channels;
    });
  return { samples, rate, facts: factsOf(bytes, view, chunks.get("LIST")), read };
}

/** By coding (1: whole numbers, 3: floating point) and bits. */
const readers: { readonly [format: string]: (view: DataView, at: number) => number } = {
  "1 8": (view, at) => (view.getUint8(at) - 128) / 128,
  "1 16": (view, at) => view.getInt16(at, true) / 2 ** 15,
  "1 24": (view, at) => (view.getUint16(at, true) | (view.getInt8(at + 2) << 16)) / 2 ** 23,
  "1 32": (view, at) => view.getInt32(at, true) / 2 ** 31,
  "3 32": (view, at) => view.getFloat32(at, true),
  "3 64": (view, at) => view.getFloat64(at, true),
};

/** Names of chunks with where they begin and end; one cut short ends with the file. */
function* chunksOf(bytes: Uint8Array, view: DataView, from: number, end: number): Iterable<[string, readonly [number, number]]> {
  for (let at = from; at + 8 <= end;) {
    const size = view.getUint32(at + 4, true);
    yield [text(bytes, at, at + 4), [at + 8, Math.min(end, at + 8 + size)]];
    at += 8 + size + (size % 2);
  }
}

function factsOf(bytes: Uint8Array, view: DataView, list: readonly [number, number] | undefined): readonly string[] {
  if (list === undefined || text(bytes, list[0], list[0] + 4) !== "INFO") return [];
  const facts = new Map(chunksOf(bytes, view, list[0] + 4, list[1]));
  return ["INAM", "ICMT"].flatMap((name) => {
    const [start, end] = facts.get(name) ?? [0, 0];
    const fact = Buffer.from(bytes.subarray(start, end)).toString("utf8").replace(/\0.*$/su, "").trim();
    return fact === "" ? [] : [fact];
  });
}

const text = (bytes: Uint8Array, start: number, end: number): string => Buffer.from(bytes.subarray(start, end)).toString("latin1");

/** Zero crossings of the filter on each side of a sample. */
const LOBES = 16;

/** The same sound at another rate, by band-limited interpolation under a Hann window (Smith and Gossett 1984). */
export function resampled(samples: Float32Array, from: number, to: number): Float32Array {
  if (from === to) return samples;
  const cutoff = Math.min(1, to / from);
  const reach = LOBES / cutoff;
  return Float32Array.from({ length: Math.round((samples.length * to) / from) }, (_, index) => {
    const centre = (index * from) / to;
    let sum = 0;
    for (let at = Math.max(0, Math.ceil(centre - reach)); at <= Math.min(samples.length - 1, centre + reach); at++) {
      const distance = at - centre;
      sum += samples[at]! * cutoff * sinc(cutoff * distance) * (0.5 + 0.5 * Math.cos((Math.PI * distance) / reach));
    }
    return sum;
  });
}

const sinc = (x: number): number => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));
