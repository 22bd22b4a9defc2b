// A sentence of a document as questions with their answers in its own words. English sentences; others give none. Knows no index.
import type { Sentence } from "../util/sentences.ts";

/** How a question was made. */
export type Made = "model" | "rule" | "gap";

export interface Draft {
  readonly made: Made;
  readonly question: string;
  /** Stands in the sentence, letter for letter. */
  readonly answer: string;
  /** Of the sentence, in its text. */
  readonly start: number;
  readonly end: number;
}

const FEWEST_WORDS = 5;
const MOST_WORDS = 40;
const MOST_ANSWER_WORDS = 12;

/** A subject that means nothing outside its paragraph, or that is none. */
const unclear =
  /^(it|its|this|that|these|those|they|their|he|she|his|her|him|we|our|you|your|i|my|there|here|such|both|each|some|most|many|others?|one|what|when|where|which|who|how|if|as|in|on|at|by|for|from|with|after|before|during|since|until|without|between|among|above|below|under|over|near|behind|beside|while|unless|besides|to|of|and|but|or|so|then|also|however|note|see|please|not|no)\b/i;
const verbs =
  /\b(is|are|was|were|be|has|have|had|must|can|may|will|shall|should|that|which|who|if|when|lasts?|takes?|costs|holds|needs|opens|closes|gets|gives?|goes|there)\b/i;

const time =
  /^(?:(?:about|around|exactly|early|late)\s+)?(?:\d{1,2}(?::\d{2})?\s*(?:a\.?m|p\.?m|o'clock)\b|\d{4}\b|(?:\d{1,2}\s+)?(?:January|February|March|April|May|June|July|August|September|October|November|December)\b|any time|the (?:end|beginning|start|same time|weekend)|(?:(?:every|each|the)\s+)?(?:Mondays?|Tuesdays?|Wednesdays?|Thursdays?|Fridays?|Saturdays?|Sundays?|spring|summer|autumn|winter|morning|evening|night|noon|midnight|week|month|year|day|hour)|\d+\s+(?:seconds?|minutes?|hours?|days?|weeks?|months?|years?)\b|(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)\b)/i;
const numeral =
  "\\d+(?:[.,]\\d+)*|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety";

interface Found {
  readonly question: string;
  readonly answer: string;
}

interface Rule {
  readonly pattern: RegExp;
  readonly ask: (groups: { readonly [name: string]: string }) => Found | undefined;
}

const place = "in|at|on|under|behind|near|between|beside|above|below|inside|outside";
const moment = "at|on|in|before|after|by|within|from|until|every|each";
const particle = "in|out|up|off|over|down|back|on";
const participle = "\\w+(?:ed|en|wn|pt|ld|lt|nt|de|ound|ought|aught|ung|ut)";

/** In the order of their worth: what asks for a place or a time says more than what asks for anything. */
const rules: readonly Rule[] = [
  {
    pattern: new RegExp(
      `^(?<subject>.+?) (?<be>is|are|was|were|must be|can be|may be|should be|will be) (?<done>${participle}(?: (?:${particle})(?= (?:${place}|${moment}) ))?) (?<preposition>${place}|${moment}) (?<rest>.+)$`,
    ),
    ask: ({ subject, be, done, preposition, rest }) => {
      const [first, second] = be!.split(" ");
      const word = isTime(preposition!, rest!) ? "When" : new RegExp(`^(${place})$`).test(preposition!) ? "Where" : undefined;
      return (
        word && {
          question: `${word} ${first} ${subject}${second === undefined ? "" : " be"} ${done}?`,
          answer: `${preposition} ${clause(rest!)}`,
        }
      );
    },
  },
  {
    pattern: new RegExp(`^(?<subject>.+?) (?<be>is|are|was|were) (?<done>${participle}) by (?<answer>.+)$`),
    ask: ({ subject, be, done, answer }) => ({ question: `By whom or what ${be} ${subject} ${done}?`, answer: answer! }),
  },
  {
    pattern: new RegExp(
      `^(?<subject>.+?) (?<verb>has|have|holds?|contains?|needs?|seats?|gets?|takes?) (?<answer>${numeral}) (?<things>[a-z-]+s)(?<more> of [a-z ]+?)?(?= (?:a|an|per|in|on|at|for|with|and|each|to|from|before|after|every)\\b|[,;]|$)`,
    ),
    ask: ({ subject, verb, answer, things, more = "" }) => ({
      question: `How many ${things}${more} ${doing(verb!)} ${subject} ${base(verb!)}?`,
      answer: answer!,
    }),
  },
  {
    pattern: new RegExp(
      `^(?<subject>.+?) (?<verb>lasts?|takes?) (?<answer>(?:about |up to |at least |at most )?(?:${numeral}) (?:seconds?|minutes?|hours?|days?|weeks?|months?|years?)\\b)`,
    ),
    ask: ({ subject, verb, answer }) => ({ question: `How long ${doing(verb!)} ${subject} ${base(verb!)}?`, answer: answer! }),
  },
  {
    pattern:
      /^(?<subject>.+?) (?<verb>opens?|closes?|starts?|ends?|begins?|leaves?|arrives?|departs?|expires?|lapses?) (?<preposition>at|on|in|before|after|every|by) (?<rest>.+)$/,
    ask: ({ subject, verb, preposition, rest }) =>
      isTime(preposition!, rest!)
        ? { question: `When ${doing(verb!)} ${subject} ${base(verb!)}?`, answer: `${preposition} ${clause(rest!)}` }
        : undefined,
  },
  {
    pattern: /^(?<subject>.+?) (?<verb>costs?|weighs?|measures?) (?<answer>.+)$/,
    ask: ({ subject, verb, answer }) => ({ question: `What ${doing(verb!)} ${subject} ${base(verb!)}?`, answer: answer! }),
  },
  {
    pattern: /^(?<subject>.+?) (?<be>is|are|was|were) (?<answer>(?:an?|the|one of the) .+)$/,
    ask: ({ subject, be, answer }) => ({ question: `What ${be} ${subject}?`, answer: answer! }),
  },
];

/** A number alone after "in" is a year only where it looks like one. */
const isTime = (preposition: string, rest: string): boolean => /^(every|each|until|within)$/.test(preposition) || time.test(rest);
const doing = (verb: string): string => (verb.endsWith("s") ? "does" : "do");
const base = (verb: string): string => (verb === "has" ? "have" : verb.replace(/s$/, ""));

/** What the rules make of a sentence, the best first; `text` is its document, which tells names from words that begin a sentence. */
export function draftsOf({ text, start, end }: Sentence, document: string): Draft[] {
  const sentence = plain(text);
  if (!/^[A-Z0-9"'“‘]/.test(sentence) || !/[.!]$/.test(sentence) || unclear.test(sentence)) return [];
  const count = sentence.split(/\s+/).length;
  if (count < FEWEST_WORDS || count > MOST_WORDS) return [];
  const bare = sentence.replace(/[.!]+$/, "");
  const found = rules.flatMap(({ pattern, ask }): Found[] => {
    const groups = pattern.exec(bare)?.groups as { readonly [name: string]: string } | undefined;
    const subject = groups?.["subject"];
    if (groups === undefined || subject === undefined || !isSubject(subject)) return [];
    const asked = ask({ ...groups, subject: lowered(subject, document) });
    return asked === undefined ? [] : [{ ...asked, answer: firstPart(asked.answer) }];
  });
  const drafts = found.map(({ question, answer }): Draft => ({ made: "rule", question, answer, start, end }));
  return [...drafts, ...gaps(sentence, { start, end })].filter(({ answer }) => isAnswer(answer, text));
}

/** Markup within a line goes; what is a link keeps its words. */
const plain = (text: string): string =>
  text
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replaceAll(/[*_`]+(?=\w)|(?<=\w|[.!?])[*_`]+/g, "")
    .replaceAll(/\s+/g, " ")
    .trim();

const isSubject = (subject: string): boolean => subject.split(" ").length <= 8 && !/[,;:()]/.test(subject) && !verbs.test(subject);

/** `The office` within a question is `the office`; a name stays one. */
function lowered(subject: string, document: string): string {
  const [first = ""] = subject.split(" ");
  const small = first.charAt(0).toLowerCase() + first.slice(1);
  const isWord = /^(The|A|An|Every|All|No)$/.test(first) || new RegExp(`(?<![.!?]\\s)\\b${escaped(small)}\\b`).test(document);
  return isWord ? small + subject.slice(first.length) : subject;
}

const escaped = (text: string): string => text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, "\\$&");

/** Up to where another thought begins. */
const verb = "is|are|was|were|has|have|takes?|needs?|must|can|may|will|should|does|do|gets?|goes|go|comes?|costs?";
const firstPart = (answer: string): string =>
  answer
    .split(
      new RegExp(`[;:]|, (?:and|but|or|which|who|so|because|if|unless)\\b| (?:because|unless|although|so that) | and (?=(?:${verb})\\b)`),
    )[0]!
    .trim();

/** Of a place or a time, up to the first comma. */
const clause = (rest: string): string => rest.split(",")[0]!;

/** It must be found in the document as it is written there. */
const isAnswer = (answer: string, text: string): boolean =>
  answer !== "" && answer.split(" ").length <= MOST_ANSWER_WORDS && text.replaceAll(/\s+/g, " ").includes(answer);

/** Words that make a measure of a number, and plurals that it counts. */
const measure = "(?:per ?cent|am|pm|kg|g|km|m|cm|mm|°C|%|(?!(?:is|was|has|as|its|this|us)\\b)[a-z]+s)";
const gapAnswers = [
  new RegExp(`(?<=\\s)(?:${numeral})(?: ${measure})?(?=[\\s.,;)]|$)`, "g"),
  /(?<=[a-z,] )(?:[A-Z][\p{L}'-]+(?: [A-Z][\p{L}'-]+){0,3})(?=[\s.,;)]|$)/gu,
];

/** The sentence with a number or a name left out (cloze: Taylor 1953). */
function gaps(sentence: string, place: Pick<Draft, "start" | "end">): Draft[] {
  return gapAnswers.flatMap((pattern) => {
    const [found] = sentence.matchAll(pattern);
    if (found === undefined) return [];
    const open = `${sentence.slice(0, found.index)}____${sentence.slice(found.index + found[0].length)}`;
    return [{ made: "gap", question: `What stands in the gap: ${open}`, answer: found[0], ...place }] as const;
  });
}
