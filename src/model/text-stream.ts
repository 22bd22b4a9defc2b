// Text as it is written: cut at stop strings, trimmed, handed on in pieces that add up to the result. Knows nothing of tokens.

export interface TextStream {
  /** Takes the whole text so far; true once a stop string has appeared. */
  update(text: string): boolean;
  /** Takes the final text and hands on what was held back. */
  finish(): string;
}

/**
 * Pieces given to `onText` joined are exactly what `finish` returns: the text up to the first stop string, without white space at
 * either end. What may still turn out to be part of a stop string, white space at the end or half a character is held back.
 */
export function textStream({ stop, onText }: { stop: readonly string[]; onText?: (piece: string) => void }): TextStream {
  const stops = stop.filter((one) => one !== "");
  let text = "";
  let sent = 0;
  const send = (ready: string): void => {
    if (ready.length <= sent) return;
    onText?.(ready.slice(sent));
    sent = ready.length;
  };
  const update = (written: string): boolean => {
    const start = written.trimStart();
    const cut = firstOf(start, stops);
    text = cut < 0 ? start : start.slice(0, cut);
    send((cut < 0 ? text.slice(0, text.length - heldBack(text, stops)) : text).trimEnd());
    return cut >= 0;
  };
  const finish = (): string => {
    const whole = text.trimEnd();
    send(whole);
    return whole;
  };
  return { update, finish };
}

function firstOf(text: string, stops: readonly string[]): number {
  const found = stops.map((stop) => text.indexOf(stop)).filter((at) => at >= 0);
  return found.length === 0 ? -1 : Math.min(...found);
}

/** Characters at the end that are the beginning of a stop string, or a replacement character: bytes of one not yet whole. */
function heldBack(text: string, stops: readonly string[]): number {
  let held = /\uFFFD*$/.exec(text)?.[0].length ?? 0;
  for (const stop of stops) {
    for (let length = Math.min(stop.length - 1, text.length); length > held; length--) {
      if (text.endsWith(stop.slice(0, length))) held = length;
    }
  }
  return held;
}
