// What is used of packages that bring no types.
declare module "n3" {
  interface Term {
    readonly termType: "NamedNode" | "BlankNode" | "Literal" | "DefaultGraph" | "Variable";
    readonly value: string;
    readonly language?: string;
  }
  interface Quad {
    readonly subject: Term;
    readonly predicate: Term;
    readonly object: Term;
  }
  class Parser {
    constructor(options?: { readonly format?: string; readonly baseIRI?: string });
    parse(text: string): Quad[];
  }
}

declare module "sql.js" {
  type Value = number | string | Uint8Array | bigint | null;
  interface Statement {
    step(): boolean;
    get(parameters?: null, options?: { readonly useBigInt?: boolean }): Value[];
    getColumnNames(): string[];
    free(): void;
  }
  interface Database {
    prepare(query: string): Statement;
    run(statements: string): void;
    export(): Uint8Array;
    close(): void;
  }
  export default function initialise(): Promise<{ readonly Database: new (bytes?: Uint8Array) => Database }>;
}
