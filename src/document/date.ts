// When a document was last changed, as formats write it. Knows no format's parts.

/** Days and months of RFC 5322: `Tue, 3 Mar 2026 12:30:00 +0100`. Nothing looser: a parser that guesses makes dates of house numbers. */
const mail = /^(?:[A-Z][a-z]{2},\s*)?\d{1,2}\s+[A-Z][a-z]{2}\s+\d{4}\s+\d{2}:\d{2}/;
/** ISO 8601, `2026-03-01` or with a time; without a zone it is UTC. */
const iso = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)\s*(Z|[+-]\d{2}:?\d{2})?)?$/i;
/** `D:20260301123000+01'00'` (ISO 32000-1, section 7.9.4). */
const pdf = /^(?:D:)?(\d{4})(\d{2})(\d{2})(?:(\d{2})(\d{2})(\d{2})?)?(?:(Z)|([+-])(\d{2})'?(\d{2})?)?/;

/** As ISO 8601 in UTC; undefined for what is no date. */
export function isoDate(text: string | undefined): string | undefined {
  const trimmed = text?.trim() ?? "";
  const [, day, time = "00:00", zone = "Z"] = iso.exec(trimmed) ?? [];
  return instant(day === undefined ? (mail.test(trimmed) ? trimmed : "") : `${day}T${time}${zone}`);
}

/** The same of a date as PDF writes it. */
export function pdfDate(text: string | undefined): string | undefined {
  const [, year, month, day, hour = "00", minute = "00", second = "00", , sign = "+", hours = "00", minutes = "00"] =
    pdf.exec(text?.trim() ?? "") ?? [];
  return year === undefined ? undefined : instant(`${year}-${month}-${day}T${hour}:${minute}:${second}${sign}${hours}:${minutes}`);
}

/** The first that is a date. */
export function firstDate(...texts: readonly (string | undefined)[]): { readonly modified?: string } {
  const modified = texts.map(isoDate).find((date) => date !== undefined);
  return modified === undefined ? {} : { modified };
}

function instant(text: string): string | undefined {
  const time = Date.parse(text);
  return Number.isNaN(time) ? undefined : new Date(time).toISOString();
}
