import { expect, test } from "vitest";
import { tone, wav } from "../../test/support/tiny-multimodal.ts";
import { readWav, resampled } from "./wav.ts";

/** A WAV of one channel at 8 kHz whose samples are given as bytes. */
function coded(tag: number, bits: number, data: Buffer, extensible = false): Buffer {
  const format = Buffer.alloc(extensible ? 40 : 16);
  [extensible ? 0xfffe : tag, 1].forEach((value, at) => format.writeUInt16LE(value, at * 2));
  format.writeUInt32LE(8000, 4);
  format.writeUInt16LE(bits / 8, 12);
  format.writeUInt16LE(bits, 14);
  if (extensible) format.writeUInt16LE(tag, 24);
  const chunk = (name: string, content: Buffer): Buffer => {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(content.length);
    return Buffer.concat([Buffer.from(name), length, content, Buffer.alloc(content.length % 2)]);
  };
  return chunk("RIFF", Buffer.concat([Buffer.from("WAVE"), chunk("fmt ", format), chunk("junk", Buffer.alloc(3)), chunk("data", data)]));
}

const numbers = [0, 0.5, -0.5, -1];
const written: { readonly [name: string]: readonly [tag: number, bits: number, data: Buffer] } = {
  "8 bits": [1, 8, Buffer.from([128, 192, 64, 0])],
  "16 bits": [1, 16, Buffer.from(Int16Array.of(0, 2 ** 14, -(2 ** 14), -(2 ** 15)).buffer)],
  "24 bits": [1, 24, Buffer.from([0, 0, 0, 0, 0, 0x40, 0, 0, 0xc0, 0, 0, 0x80])],
  "32 bits": [1, 32, Buffer.from(Int32Array.of(0, 2 ** 30, -(2 ** 30), -(2 ** 31)).buffer)],
  "floats of 32 bits": [3, 32, Buffer.from(Float32Array.from(numbers).buffer)],
  "floats of 64 bits": [3, 64, Buffer.from(Float64Array.from(numbers).buffer)],
};

test.each(Object.entries(written))("samples of %s", (_, [tag, bits, data]) => {
  for (const extensible of [false, true]) {
    const { rate, samples, read } = readWav(coded(tag, bits, data, extensible));
    expect({ rate, samples, read: [...read(0, samples)] }).toEqual({ rate: 8000, samples: 4, read: numbers });
  }
});

test("of several channels their mean is read, and any part alone", () => {
  const { samples, read } = readWav(wav((time) => time / 2, { channels: 2, seconds: 0.01 }));
  expect(samples).toBe(80);
  expect(read(40, 41)[0]).toBeCloseTo(40 / 8000 / 2, 4);
});

test("a file cut short is read as far as it goes", () => {
  const bytes = wav(tone(100));
  expect(readWav(bytes.subarray(0, bytes.length - 1000)).samples).toBe(7500);
});

test.each([
  ["is no WAV file", Buffer.from("OggS and so on")],
  ["is a broken WAV file", Buffer.concat([Buffer.from("RIFF"), Buffer.alloc(4), Buffer.from("WAVE")])],
  ["is WAV of a coding that is not read (6, 8 bits)", coded(6, 8, Buffer.alloc(8))],
  ["is a sound of no length", coded(1, 16, Buffer.alloc(0))],
])("what %s says so", (message, bytes) => {
  expect(() => readWav(bytes)).toThrow(message);
});

test.each([
  [44_100, 8000],
  [8000, 48_000],
  [8000, 8000],
])("a tone at %i samples a second is the same tone at %i", (from, to) => {
  const sampled = (rate: number): Float32Array => Float32Array.from({ length: rate / 10 }, (_, index) => tone(440)(index / rate));
  const again = resampled(sampled(from), from, to);
  const expected = sampled(to);
  expect(again).toHaveLength(expected.length);
  // At both ends the filter reaches beyond the sound.
  for (let at = Math.ceil(to / 100); at < again.length - to / 100; at++) expect(Math.abs(again[at]! - expected[at]!)).toBeLessThan(0.005);
});

test("what the new rate can't hold is left out, not heard as another tone", () => {
  const high = Float32Array.from({ length: 4410 }, (_, index) => tone(9000)(index / 44_100));
  expect(Math.max(...resampled(high, 44_100, 8000).subarray(80, 720).map(Math.abs))).toBeLessThan(0.01);
});
