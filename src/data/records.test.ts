import fc from "fast-check";
import { expect, test } from "vitest";
import { UserError } from "../errors.ts";
import { readCsv, readJsonLines } from "./records.ts";

test("rows of CSV come back with the lines they begin on, quotes, line ends and all", () => {
  expect(readCsv('input,output\r\n"a\r\nb",c\r\nd,"e ""f"""\r\n\r\n"g, h",i\r\n', "x.csv")).toEqual([
    { line: 2, fields: { input: "a\nb", output: "c" } },
    { line: 4, fields: { input: "d", output: 'e "f"' } },
    { line: 6, fields: { input: "g, h", output: "i" } },
  ]);
});

test.each([
  ["input;output\na, b;c\n", { input: "a, b", output: "c" }],
  ["input\toutput\na, b; c\td\n", { input: "a, b; c", output: "d" }],
  ['"in, put",output\na,b\n', { "in, put": "a", output: "b" }],
])("the delimiter is the one of the first line: %j", (text, fields) => {
  expect(readCsv(text, "x.csv")).toEqual([{ line: 2, fields }]);
});

test("any table survives being written as CSV", () => {
  const cell = fc.string({ unit: "grapheme" }).map((text) => text.replaceAll(/\r\n?/g, "\n"));
  const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;
  fc.assert(
    fc.property(fc.array(fc.tuple(cell, cell), { minLength: 1 }), (rows) => {
      const text = ["a,b", ...rows.map(([a, b]) => `${quoted(a)},${quoted(b)}`)].join("\n");
      expect(readCsv(text, "x").map(({ fields }) => [fields["a"], fields["b"]])).toEqual(rows);
    }),
  );
});

test("lines of JSON come back with their numbers, empty lines passed over", () => {
  expect(readJsonLines('{"a":[1,null]}\r\n\r\n{"b":"é\\n"}', "x.jsonl")).toEqual([
    { line: 1, fields: { a: [1, null] } },
    { line: 3, fields: { b: "é\n" } },
  ]);
});

test.each([
  ["a,b\n1,2,3\n", 'Line 2 of x has 3 fields where the first line names 2. Put quotes ("...") around text that holds a ",".'],
  ["a,b\n1\n", 'Line 2 of x has 1 field where the first line names 2. Put quotes ("...") around text that holds a ",".'],
  [
    'a,b\nx,"open\n1,2\n',
    'Line 3 of x is no CSV: a quote (") that was opened before it is never closed. Close it, or write "" for a quote within quotes.',
  ],
  [
    'a,b\nx,y "q" z\n',
    'Line 2 of x is no CSV: a quote (") stands within a field that is not quoted. Put quotes around the whole field and write "" within.',
  ],
  ['a,b\n"x" y,z\n', 'Line 2 of x is no CSV: text follows a closing quote ("). Write "" for a quote within quotes.'],
  ["", "x is empty. Its first line must name the fields: input,output."],
  ["a,a\n1,2", 'Line 1 of x names the field "a" twice. Rename one.'],
])("broken CSV gets one line: %j", (text, message) => {
  expect(() => readCsv(text, "x")).toThrow(new UserError(message));
});

test.each([
  ['{"a":1}\n{"a": x}', 'Line 2 of x is no JSON: column 7, at "x}". Mend the line, or take it out.'],
  ['{"a":1', "Line 1 of x is no JSON: column 7, the line ends too soon. Mend the line, or take it out."],
  [
    '[\n{"a":1}',
    "Line 1 of x is no JSON: column 2, the line ends too soon. Write one object a line, without brackets around them and commas between them.",
  ],
  ['{"a":1},\n', 'Line 1 of x is no JSON: column 8, at ",". Take out the comma at the end of the line.'],
  ['{\n"a":1}', "Line 1 of x is no JSON: column 2, the line ends too soon. Write each object on a line of its own."],
  ["3", 'Line 1 of x is 3, not an object. Write one { "input": ..., "output": ... } a line.'],
  ["[1]", 'Line 1 of x is a list, not an object. Write one { "input": ..., "output": ... } a line.'],
])("broken JSONL gets one line: %j", (text, message) => {
  expect(() => readJsonLines(text, "x")).toThrow(new UserError(message));
});
