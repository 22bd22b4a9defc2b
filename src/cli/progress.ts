// Progress on standard error: one line that is rewritten in a terminal, with the time left; nothing elsewhere.
import { stripVTControlCharacters, styleText } from "node:util";

export interface Progress {
  /** Replaces the line. `fraction` of the whole job gives the time left. */
  update(text: string, fraction?: number): void;
  /** A line that stays. */
  note(text: string): void;
  clear(): void;
}

export function createProgress(stream: NodeJS.WriteStream = process.stderr): Progress {
  if (!stream.isTTY) return { update: () => undefined, note: () => undefined, clear: () => undefined };
  const started = performance.now();
  let drawn = 0;
  const clear = (): void => void stream.write("\r\u001B[2K");
  return {
    clear,
    note: (text) => {
      clear();
      stream.write(`${text}\n`);
    },
    update: (text, fraction) => {
      const now = performance.now();
      if (now - drawn < 80) return;
      drawn = now;
      clear();
      const left =
        fraction === undefined || fraction < 0.02
          ? ""
          : ` ${styleText("dim", `about ${duration(((now - started) / 1000) * (1 / fraction - 1))} left`)}`;
      stream.write(fitted(`${text}${left}`, (stream.columns ?? 80) - 1));
    },
  };
}

/** Cut to the width of the terminal, so that rewriting works; control characters are not counted and, where cut, dropped. */
function fitted(text: string, width: number): string {
  const plain = stripVTControlCharacters(text);
  return plain.length <= width ? text : `${plain.slice(0, Math.max(0, width - 3))}...`;
}

export function duration(seconds: number): string {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 100) return `${Math.round(seconds)} s`;
  const minutes = seconds / 60;
  return minutes < 100 ? `${Math.round(minutes)} min` : `${(minutes / 60).toFixed(1)} h`;
}
