// Formulas of Office documents as LaTeX (ECMA-376, part 1, section 22.1: Office Math Markup).
import { childOf, elementsOf, textOf, type XmlElement } from "./xml.ts";

/** LaTeX of what stands in an `m:oMath` or any of its parts. */
export function latexOf(element: XmlElement | undefined): string {
  return element === undefined
    ? ""
    : elementsOf(element)
        .map((child) => rules[child.name]?.(child) ?? latexOf(child))
        .join("");
}

const part = (element: XmlElement, name: string): string => latexOf(childOf(element, name));
/** The value of a property: `m:dPr/m:begChr`. */
const property = (element: XmlElement, ...path: readonly string[]): string | undefined => childOf(element, ...path)?.attributes["m:val"];

/** An empty rule keeps properties out of the text. */
const nothing = (): string => "";
const scripted =
  (below: string, above: string) =>
  (element: XmlElement): string => {
    const [low, high] = [part(element, below), part(element, above)];
    return `${part(element, "m:e")}${low && `_{${low}}`}${high && `^{${high}}`}`;
  };

const rules: { readonly [name: string]: (element: XmlElement) => string } = {
  "m:r": (element) => symbols(elementsOf(element, "m:t").map(textOf).join("")),
  "m:rPr": nothing,
  "w:rPr": nothing,
  "m:ctrlPr": nothing,
  "m:f": fraction,
  "m:sSup": scripted("", "m:sup"),
  "m:sSub": scripted("m:sub", ""),
  "m:sSubSup": scripted("m:sub", "m:sup"),
  "m:sPre": (element) => `{}_{${part(element, "m:sub")}}^{${part(element, "m:sup")}}${part(element, "m:e")}`,
  "m:rad": (element) => {
    const degree = part(element, "m:deg");
    return `\\sqrt${degree && `[${degree}]`}{${part(element, "m:e")}}`;
  },
  "m:nary": (element) => {
    const operator = property(element, "m:naryPr", "m:chr") ?? "∫";
    const [low, high] = [part(element, "m:sub"), part(element, "m:sup")];
    return `${symbols(operator).trim()}${low && `_{${low}}`}${high && `^{${high}}`}${part(element, "m:e")}`;
  },
  "m:d": delimited,
  "m:func": (element) => `${named(part(element, "m:fName"))}(${part(element, "m:e")})`,
  "m:limLow": (element) => `${named(part(element, "m:e"))}_{${part(element, "m:lim")}}`,
  "m:limUpp": (element) => `${named(part(element, "m:e"))}^{${part(element, "m:lim")}}`,
  "m:acc": (element) => `${accents[property(element, "m:accPr", "m:chr") ?? "\u0302"] ?? "\\hat"}{${part(element, "m:e")}}`,
  "m:bar": (element) => `\\${property(element, "m:barPr", "m:pos") === "top" ? "overline" : "underline"}{${part(element, "m:e")}}`,
  "m:groupChr": (element) => `\\underbrace{${part(element, "m:e")}}`,
  "m:m": (element) =>
    `\\begin{matrix}${elementsOf(element, "m:mr")
      .map((row) => elementsOf(row, "m:e").map(latexOf).join(" & "))
      .join(" \\\\ ")}\\end{matrix}`,
  "m:eqArr": (element) => `\\begin{aligned}${elementsOf(element, "m:e").map(latexOf).join(" \\\\ ")}\\end{aligned}`,
};

function fraction(element: XmlElement): string {
  const [above, below] = [part(element, "m:num"), part(element, "m:den")];
  const kind = property(element, "m:fPr", "m:type");
  if (kind === "lin") return `${above}/${below}`;
  return kind === "noBar" ? `\\genfrac{}{}{0pt}{}{${above}}{${below}}` : `\\frac{${above}}{${below}}`;
}

function delimited(element: XmlElement): string {
  const [open, close] = [property(element, "m:dPr", "m:begChr") ?? "(", property(element, "m:dPr", "m:endChr") ?? ")"];
  const between = property(element, "m:dPr", "m:sepChr") ?? "|";
  const inner = elementsOf(element, "m:e").map(latexOf).join(between);
  return `\\left${fence(open)}${inner}\\right${fence(close)}`;
}

const fence = (text: string): string => ({ "": ".", "{": "\\{", "}": "\\}", "‖": "\\|", "⟨": "\\langle ", "⟩": "\\rangle " })[text] ?? text;

const functions = /^(sin|cos|tan|cot|sec|csc|sinh|cosh|tanh|arcsin|arccos|arctan|log|ln|exp|lim|max|min|sup|inf|det|gcd|arg)$/;

function named(name: string): string {
  const base = /^[A-Za-z]+/.exec(name.trim())?.[0] ?? "";
  return functions.test(base) ? `\\${name.trim()}` : name;
}

const accents: { readonly [character: string]: string } = {
  "\u0302": "\\hat",
  "\u0303": "\\tilde",
  "\u0304": "\\bar",
  "\u0305": "\\overline",
  "\u0307": "\\dot",
  "\u0308": "\\ddot",
  "\u20d7": "\\vec",
  "¯": "\\bar",
  "~": "\\tilde",
};

const greek =
  "α alpha β beta γ gamma δ delta ε epsilon ζ zeta η eta θ theta ι iota κ kappa λ lambda μ mu ν nu ξ xi π pi ρ rho σ sigma τ tau υ upsilon φ phi χ chi ψ psi ω omega " +
  "Γ Gamma Δ Delta Θ Theta Λ Lambda Ξ Xi Π Pi Σ Sigma Φ Phi Ψ Psi Ω Omega";
const operators =
  "± pm × times ÷ div · cdot ≤ leq ≥ geq ≠ neq ≈ approx ≡ equiv ∞ infty ∑ sum ∏ prod ∫ int ∮ oint √ sqrt ∂ partial ∇ nabla ∈ in ∉ notin ⊂ subset ∪ cup ∩ cap → to ⇒ Rightarrow ↔ leftrightarrow ∀ forall ∃ exists ∝ propto … dots";
const commands = new Map(
  `${greek} ${operators}`.split(" ").flatMap((word, index, all) => (index % 2 === 0 ? [[word, all[index + 1]!] as const] : [])),
);

/** Letters that LaTeX has names for; mathematical alphabets as plain letters. */
function symbols(text: string): string {
  const plain = text.normalize("NFKC").replaceAll(/[\\{}$#&%_]/g, (character) => (character === "\\" ? "\\backslash " : `\\${character}`));
  return plain.replaceAll(/[^ -~]/gu, (character) => {
    const command = commands.get(character);
    return command === undefined ? character : ` \\${command} `;
  });
}
