import { expect, test } from "vitest";
import { firstDate, isoDate, pdfDate } from "./date.ts";

test.each([
  ["2026-03-01", "2026-03-01T00:00:00.000Z"],
  ["2026-03-01T12:30", "2026-03-01T12:30:00.000Z"],
  ["2026-03-01 12:30:15.5+01:00", "2026-03-01T11:30:15.500Z"],
  ["2026-03-01T12:30:00Z", "2026-03-01T12:30:00.000Z"],
  ["Tue, 3 Mar 2026 12:30:00 +0100", "2026-03-03T11:30:00.000Z"],
  ["Sun, 06 Nov 1994 08:49:37 GMT", "1994-11-06T08:49:37.000Z"],
  ["page 12", undefined],
  ["2026-13-45", undefined],
  ["May 5", undefined],
  ["", undefined],
])("%s is %s", (text, date) => expect(isoDate(text)).toBe(date));

test.each([
  ["D:20260301123000+01'00'", "2026-03-01T11:30:00.000Z"],
  ["D:20260301123000Z", "2026-03-01T12:30:00.000Z"],
  ["D:20260301", "2026-03-01T00:00:00.000Z"],
  ["20260301123000-05'30", "2026-03-01T18:00:00.000Z"],
  ["D:2026", undefined],
  [undefined, undefined],
])("of a PDF %s is %s", (text, date) => expect(pdfDate(text)).toBe(date));

test("the first that is a date counts", () => {
  expect(firstDate(undefined, "soon", "2026-03-01", "2025-01-01")).toEqual({ modified: "2026-03-01T00:00:00.000Z" });
  expect(firstDate("soon")).toEqual({});
});
