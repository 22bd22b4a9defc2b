// What all Office documents of the XML kind share: parts in a ZIP, and relationships between them (ECMA-376, part 2).
import type { Converted, RawFile, Reading } from "./converted.ts";
import { firstDate } from "./date.ts";
import { Unreadable } from "./limits.ts";
import { childOf, elementsOf, parseXml, textOf, type XmlElement } from "./xml.ts";
import { type ZipEntry, zipEntries } from "./zip.ts";

export interface Relationship {
  /** The last word of its type: `image`, `chart`, `hyperlink`. */
  readonly type: string;
  /** Name of a part, or an address outside. */
  readonly target: string;
  readonly external: boolean;
}

export interface OfficePackage {
  /** The part that the package is about. */
  readonly main: string;
  readonly names: readonly string[];
  /** A part as XML; undefined where there is none. */
  xml(part: string | undefined): XmlElement | undefined;
  bytes(part: string): Uint8Array | undefined;
  /** Relationships of a part, by id. */
  relationships(part: string): ReadonlyMap<string, Relationship>;
  /** The part of that type that a part names first. */
  related(part: string, type: string): string | undefined;
}

/** Throws Unreadable when the file is no such package. */
export function openOffice(file: RawFile, reading: Reading): OfficePackage {
  const entries = new Map<string, ZipEntry>(zipEntries(file, reading).map((entry) => [entry.name.toLowerCase(), entry]));
  const bytes = (part: string): Uint8Array | undefined => entries.get(part.toLowerCase())?.read();
  const xml = (part: string | undefined): XmlElement | undefined => {
    const found = part === undefined ? undefined : bytes(part);
    return found && parseXml(found, reading.limits);
  };
  const known = new Map<string, ReadonlyMap<string, Relationship>>();
  const relationships = (part: string): ReadonlyMap<string, Relationship> => {
    const found = known.get(part) ?? relationshipsIn(xml(relationshipsOf(part)), part);
    known.set(part, found);
    return found;
  };
  const related = (part: string, type: string): string | undefined =>
    [...relationships(part).values()].find((one) => one.type === type && !one.external)?.target;
  const main = related("", "officeDocument");
  if (main === undefined) throw new Unreadable("holds no Office document. Open it with the program that made it, and save it again.");
  return { main, names: [...entries.values()].map(({ name }) => name), xml, bytes, relationships, related };
}

/** What the package says of itself: its title, when it was last changed. */
export function propertiesOf(office: OfficePackage): { readonly title: string; readonly date: Pick<Converted, "modified"> } {
  const properties = office.xml(office.related("", "core-properties"));
  return { title: textOf(childOf(properties, "dc:title")).trim(), date: firstDate(textOf(childOf(properties, "dcterms:modified"))) };
}

function relationshipsOf(part: string): string {
  const slash = part.lastIndexOf("/") + 1;
  return `${part.slice(0, slash)}_rels/${part.slice(slash)}.rels`;
}

function relationshipsIn(root: XmlElement | undefined, part: string): ReadonlyMap<string, Relationship> {
  const found = root === undefined ? [] : elementsOf(root);
  return new Map(
    found.map(({ attributes: { Id = "", Type = "", Target = "", TargetMode } }) => {
      const external = TargetMode === "External";
      return [Id, { type: Type.slice(Type.lastIndexOf("/") + 1), target: external ? Target : resolvePart(part, Target), external }];
    }),
  );
}

/** A target is relative to the folder of the part that names it. */
function resolvePart(part: string, target: string): string {
  const names = target.startsWith("/") ? [] : part.split("/").slice(0, -1);
  for (const name of target.split("/")) {
    if (name === "..") names.pop();
    else if (name !== "" && name !== ".") names.push(name);
  }
  return names.join("/");
}

/** Whether a switch such as w:b is on: it stands there, and its value does not say otherwise. */
export function isOn(element: XmlElement | undefined, attribute = "w:val"): boolean {
  return element !== undefined && !["0", "false", "off", "none"].includes(element.attributes[attribute] ?? "1");
}
