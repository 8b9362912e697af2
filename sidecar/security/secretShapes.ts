/**
 * The shape of a secret of a known service. It begins with one of its `anchors`; `find` looks behind one and gives the stretch
 * to mask, at most `REACH` of redact.ts long. A megabyte of nothing but anchors takes some ten milliseconds: what lies behind
 * an anchor is looked at once, however many anchors are in it.
 */
export type Shape = {
  anchors: readonly string[];
  /** Begins with a text, read as Latin-1, whose anchors are then asked about from its beginning to its end. */
  in(text: string): (anchor: Stretch) => Stretch | null;
};

/** From (inclusive) and to (exclusive). */
export type Stretch = [from: number, to: number];

export const SHAPES: readonly Shape[] = [
  // Hugging Face: of a person, of an organisation.
  run(['hf_', 'api_org_'], /[A-Za-z0-9]/, 30, 200),
  // Weights & Biases: forty hexadecimal digits, like a commit's, so only next to a word that names them.
  fortyDigits(['wandb', 'WANDB', 'api_key', 'API_KEY', 'api key', 'API key', 'apikey', 'api-key']),
  run(['wandb_v1_'], /\w/, 20, 200),
  // OpenAI and its followers.
  run(['sk-'], /[\w-]/, 20, 200, { only: (text) => beginsWord(text, firstDigit(text)) }),
  run(['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_'], /[A-Za-z0-9]/, 36, 200),
  run(['github_pat_'], /\w/, 22, 200),
  run(['glpat-'], /[\w-]/, 20, 200),
  // RunPod
  run(['rpa_'], /[A-Za-z0-9]/, 32, 200),
  matching(['AKIA', 'ASIA'], /(?:AKIA|ASIA)(?<secret>[0-9A-Z]{16})(?![0-9A-Za-z])/dy),
  // The password in a URL.
  matching(['://'], /:\/\/[^\s/@:'"<>]{0,200}:(?<secret>[^\s/@'"<>]{1,500})@/dy),
  run(['?token=', '&token=', '_token=', ';token='], /[^\s&"'<>]/, 8, 500),
  matching(['earer '], /earer +(?<secret>[\w.~+/=-]{16,2000})/dy),
  matching(['asic '], /asic +(?<secret>[A-Za-z0-9+/]{16,1000}={0,2})(?![\w-])/dy),
  // JSON web tokens: two parts of JSON and a signature.
  matching(['eyJ'], /eyJ(?<secret>[\w-]{8,600}\.eyJ[\w-]{8,1500}\.[\w-]{8,600})/dy, '.eyJ'),
  // `--wandb_api_key=…` of a command line, `AWS_SECRET_ACCESS_KEY=…` of an environment.
  run(['token', 'api_key', 'password', 'secret'], /[^\s'"]/, 8, 500, { after: /=|', '| +/y, only: ofFlag }),
  run(['TOKEN=', 'API_KEY=', 'SECRET=', 'ACCESS_KEY=', 'PASSWORD='], /[^\s'"]/, 8, 500, { after: /["']?/y }),
];

type More = {
  /** Stands between the anchor and the secret. */
  after?: RegExp;
  /** Only where this holds of the anchor's start and of the run behind it. */
  only?: (text: string) => (start: number, secret: Stretch) => boolean;
};

/** As many signs of a class behind the anchor as there are, from `least` to `most`. */
function run(anchors: readonly string[], sign: RegExp, least: number, most: number, more: More = {}): Shape {
  const belongs = Uint8Array.from({ length: 256 }, (_, code) => Number(sign.test(String.fromCharCode(code))));
  return {
    anchors,
    in(text) {
      const allowed = more.only?.(text) ?? (() => true);
      const ends = endOfRun(text, belongs);
      return ([start, end]) => {
        const from = more.after ? behind(more.after, text, end) : end;
        if (from === null) return null;
        const to = ends(from);
        if (to - from < least || !allowed(start, [from, to])) return null;
        return [from, Math.min(to, from + most)];
      };
    },
  };
}

/** Where the signs of a class end that begin at a place. Asked for places in ascending order, it looks at each sign once. */
function endOfRun(text: string, belongs: Uint8Array): (from: number) => number {
  let end = 0;
  return (from) => {
    if (from >= end) for (end = from; end < text.length && belongs[text.charCodeAt(end)]; ) end += 1;
    return end;
  };
}

/** The end of what stands at a place; null where it does not. `what` is sticky. */
function behind(what: RegExp, text: string, at: number): number | null {
  what.lastIndex = at;
  return what.test(text) ? what.lastIndex : null;
}

/** Not in the middle of a word, and with a digit among its first 200 signs. */
function beginsWord(text: string, digitFrom: (from: number, to: number) => number) {
  return (start: number, [from, to]: Stretch) =>
    (start === 0 || !LETTER.test(text[start - 1] as string)) && digitFrom(from, to) < Math.min(to, from + 201);
}

const LETTER = /[A-Za-z0-9]/;

/** The first digit from one place on; `to` where there is none before. For ascending places. */
function firstDigit(text: string): (from: number, to: number) => number {
  let digit = -1;
  return (from, to) => {
    if (digit < from) for (digit = from; digit < to && !DIGIT.test(text[digit] as string); ) digit += 1;
    return digit;
  };
}

const DIGIT = /\d/;

/** Does a word of at most 60 signs end here that begins with two dashes? */
function ofFlag(text: string): (start: number) => boolean {
  return (start) => {
    const before = text.slice(Math.max(0, start - 62), start);
    return FLAG.test(before);
  };
}

const FLAG = /--[\w-]{0,60}$/;

/** Forty hexadecimal digits within 60 signs of the anchor, in its line. */
function fortyDigits(anchors: readonly string[]): Shape {
  return {
    anchors,
    in(text) {
      let digits: number[] | null = null;
      let next = 0;
      return ([, end]) => {
        digits ??= [...text.matchAll(FORTY)].map(({ index }) => index);
        while (next < digits.length && (digits[next] as number) < end) next += 1;
        const from = digits[next];
        if (from === undefined || from > end + 60 || LINE_END.test(text.slice(end, from))) return null;
        return [from, from + 40];
      };
    },
  };
}

const FORTY = /(?<![0-9a-f])[0-9a-f]{40}(?![0-9a-f])/gi;
const LINE_END = /[\r\n]/;

/** What a pattern with the group `secret` finds at the anchor (sticky). `next` has to follow the word that the anchor begins. */
function matching(anchors: readonly string[], pattern: RegExp, next = ''): Shape {
  return {
    anchors,
    in(text) {
      const wordEnds = endOfRun(text, WORD);
      return ([start]) => {
        if (next && !text.startsWith(next, wordEnds(start))) return null;
        pattern.lastIndex = start;
        const found = pattern.exec(text)?.indices?.groups?.secret;
        return found ? [found[0], found[1]] : null;
      };
    },
  };
}

const WORD = Uint8Array.from({ length: 256 }, (_, code) => Number(/[\w-]/.test(String.fromCharCode(code))));

/** The end of a cut text that may become one of these shapes with the next bytes. */
// short: the last bytes of a block, as many as REACH of redact.ts
export const BEGUN = new RegExp(
  [
    '(?:(?:hf|api_org|gh[pousr]|rpa)_)(?<a>[A-Za-z0-9]{1,200})',
    '(?:wandb_v1_|github_pat_)(?<b>\\w{1,200})',
    '(?:(?<![A-Za-z0-9])sk-|glpat-)(?<c>[\\w-]{1,200})',
    '(?:AKIA|ASIA)(?<d>[0-9A-Z]{1,16})',
    'eyJ(?<e>[\\w-]{8}[\\w.-]{0,2992})',
    '(?:[?&_;]token=|earer +|--[\\w-]{0,60}(?:token|api_key|password|secret)[= ]|(?:TOKEN|KEY|SECRET|PASSWORD)=)(?<f>[^\\s\'"<>&]{1,2000})',
    '://[^\\s/@:\'"<>]{0,200}:(?=\\S*\\D)(?<g>[^\\s/@\'"<>]{1,500})',
    '(?:wandb|api[_ -]?key)[^\\r\\n]{0,60}?(?<![0-9a-f])(?<h>[0-9a-f]{4,40})',
  ]
    .map((shape) => `(?:${shape})$`)
    .join('|'),
  'd',
);
