import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { maskStream } from '../../sidecar/security/maskStream.js';
import { hideValues, masked, maskedText, REACH } from '../../sidecar/security/redact.js';
import { secretVariables } from '../../sidecar/security/secretVariables.js';

const HF = `hf_${'aB3dE5gH7jK9mN1pQ3sT5vW7xY9zA2cD4e'}`;
const WANDB = '0123456789abcdef0123456789abcdef01234567';
const ODD = `pä&<"'\\ss word/+=?%`;
const KNOWN = ['zq8Jf0aK1mT6', 'correct-horse-battery', ODD, 'k'.repeat(300)];

beforeAll(() => hideValues(() => KNOWN));
afterEach(() => hideValues(() => KNOWN));

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
const forms: [string, (value: string) => string][] = [
  ['as it is', (value) => value],
  ['in an address', encodeURIComponent],
  ['in JSON', (value) => JSON.stringify(value)],
  ['in HTML', (value) => value.replace(/[&<>"']/g, (sign) => entities[sign] ?? sign)],
  ['in JSON in HTML', (value) => JSON.stringify(value).replace(/[&<>"']/g, (sign) => entities[sign] ?? sign)],
  ['in single quotes of a shell', (value) => `'${value.replaceAll("'", "'\\''")}'`],
  ['in colours', (value) => `\u001b[1;31m${value.slice(0, 3)}\u001b[0m${value.slice(3)}`],
];

describe('values that are known', () => {
  test.each(forms)('are struck out %s, and as many bytes are left', (_, write) => {
    for (const value of KNOWN) {
      const text = `before ${write(value)} after`;
      const result = maskedText(text);
      expect(Buffer.byteLength(result)).toBe(Buffer.byteLength(text));
      expect(result).toMatch(/^before .*\*{8}.* after$/s);
      const rest = stripVTControlCharacters(result).replace(/^before | after$|\*/g, '');
      expect(rest, 'nothing of it is left').toMatch(/^["']{0,2}$|^&quot;&quot;$/);
    }
  });

  test('in base64, wherever in its threes of bytes they begin', () => {
    for (const before of ['', 'a', 'ab', 'user:']) {
      const result = maskedText(`x ${Buffer.from(`${before}${KNOWN[1]} and more`).toString('base64')} y`);
      const stars = /\*+/.exec(result)?.[0].length ?? 0;
      expect(stars).toBeGreaterThanOrEqual(Math.floor(((KNOWN[1]?.length ?? 0) * 8) / 6) - 1);
    }
  });

  test('what only resembles them stays', () => {
    for (const text of ['zq8Jf0aK1mT', 'correct horse battery', 'epoch 1/16', '']) expect(maskedText(text)).toBe(text);
  });
});

describe('what looks like a token', () => {
  test.each([
    ['of Hugging Face', `login ${HF} ok`, HF.slice(3)],
    ['of Weights & Biases', `wandb: api key ${WANDB}`, WANDB],
    ['of Weights & Biases in netrc', `machine api.wandb.ai login user password ${WANDB}`, WANDB],
    ['of OpenAI', 'key sk-proj-Ab1_cdefghijklmnopqrst', 'proj-Ab1_cdefghijklmnopqrst'],
    ['of GitHub', `ghp_${'a1'.repeat(18)}`, 'a1'.repeat(18)],
    ['of RunPod', `rpa_${'A1'.repeat(20)}`, 'A1'.repeat(20)],
    ['in a header', 'Authorization: Bearer abcdefgh.ijklmnop-1234', 'abcdefgh.ijklmnop-1234'],
    ['as a password of an address', 'GET https://me:h4x@hub.example/x', 'h4x'],
    ['in the query of an address', 'http://h/lab?token=abcdef123456&x=1', 'abcdef123456'],
    ['behind a flag', '--wandb_api_key=0123456789', '0123456789'],
    ['behind a variable', 'export AWS_SECRET_ACCESS_KEY=abcd/efgh+1234', 'abcd/efgh+1234'],
    ['as a web token', `eyJ${'a'.repeat(20)}.eyJ${'b'.repeat(40)}.${'c'.repeat(43)}`, 'c'.repeat(43)],
  ])('%s is struck out', (_, text, secret) => {
    const result = maskedText(text);
    expect(result).not.toContain(secret);
    expect(result).toHaveLength(text.length);
  });

  test.each([
    'commit 48d368fabcdef0123456789abcdef01234567890 of sd-scripts',
    'load tokenizer from cache: strategy_base.py:61',
    '--max_token_length=225 --keep_tokens=1 --keep_tokens_separator=||| --network_dim=4',
    'TOKENIZERS_PARALLELISM=false',
    'Trackside is at http://127.0.0.1:7860/',
    'steps:  50%|█████     | 12/24 [00:06<00:06,  1.9it/s, avr_loss=0.123]',
    'saving checkpoint: /outputs/hf_models/task-something-long-of-mine-000004.safetensors',
    'basic training, bearer of good news, a secret ingredient',
  ])('and nothing else: %s', (text) => expect(maskedText(text)).toBe(text));
});

describe('cut anywhere', () => {
  const words = [
    'epoch 1/4\n',
    `token ${HF}\n`,
    `${ODD} `,
    KNOWN[0],
    KNOWN[1],
    KNOWN[3],
    '\u001b[32m',
    'hf_',
    '://',
    ':x@',
  ];
  const text = fc
    .array(
      fc.oneof(fc.constantFrom(...words, `Bearer ${'t0k.'.repeat(200)} `), fc.string(), fc.string({ unit: 'binary' })),
      {
        maxLength: 60,
      },
    )
    .map((parts) => Buffer.from(parts.join('')));
  const cuts = fc.array(fc.nat(6000), { maxLength: 20 });

  test('a stream of pieces is masked as the whole is', async () => {
    await fc.assert(
      fc.asyncProperty(text, cuts, async (whole, sizes) => {
        const pieces = [...cut(whole, sizes)];
        const stream = ReadableStream.from(pieces).pipeThrough(maskStream());
        const parts: Uint8Array[] = [];
        for await (const part of stream as unknown as AsyncIterable<Uint8Array>) parts.push(part);
        expect(Buffer.concat(parts)).toEqual(masked(whole));
      }),
      { numRuns: 200 },
    );
  });

  test('so is any range, where what is around it is taken along', () => {
    fc.assert(
      fc.property(text, fc.nat(), fc.nat(), (whole, a, b) => {
        const [start = 0, end = 0] = [a % (whole.length + 1), b % (whole.length + 1)].sort((x, y) => x - y);
        const from = Math.max(0, start - REACH);
        const around = masked(whole.subarray(from, end + REACH));
        expect(around.subarray(start - from, end - from)).toEqual(masked(whole).subarray(start, end));
      }),
      { numRuns: 200 },
    );
  });

  function* cut(whole: Buffer, sizes: number[]): Generator<Buffer> {
    let at = 0;
    for (const size of sizes) {
      yield whole.subarray(at, at + size);
      at += size;
    }
    yield whole.subarray(at);
  }
});

test('of an environment, only what is secret and worth it is hidden', () => {
  const environment = {
    HF_TOKEN: HF,
    JUPYTER_PASSWORD: 's3cr3t-pass',
    AWS_SECRET_ACCESS_KEY: 'wJalrXUtnFEMI/K7MDENG',
    AWS_ACCESS_KEY_ID: 'AKIA1234567890ABCDEF',
    RUNPOD_API_KEY: 'rpa_short-one',
    HF_TOKEN_PATH: '/root/.cache/huggingface/token',
    TOKENIZERS_PARALLELISM: 'false-or-true',
    SOME_SECRET: 'training',
    OTHER_TOKEN: '1234567890',
    SHORT_PASSWORD: 'abc',
    GIT_TOKEN: '/',
    PATH: '/usr/bin',
  };
  expect(secretVariables(environment).sort()).toEqual(
    [HF, 's3cr3t-pass', 'wJalrXUtnFEMI/K7MDENG', 'AKIA1234567890ABCDEF', 'rpa_short-one'].sort(),
  );
});

describe('a megabyte that looks like tokens', () => {
  const units = [
    'sk-',
    'glpat-a',
    '_token=a',
    '?token=-',
    'TOKEN=',
    '--token=a',
    'wandb_v1_',
    'wandb-',
    'api_key',
    'hf_',
  ];
  test.each([...units, 'eyJeyJa.eyJ-', '--a-token ', '://a:', 'Bearer a', 'basic a'])(
    '%s is masked in a moment',
    (unit) => {
      const text = Buffer.from(unit.repeat(Math.ceil((1 << 20) / unit.length)));
      // Of the processor, and the least of three: other tests may be busy beside it.
      const took = [1, 2, 3].map(() => {
        const began = process.cpuUsage();
        masked(text);
        return process.cpuUsage(began).user / 1000;
      });
      expect(Math.min(...took)).toBeLessThan(200);
    },
  );

  test('hides each of many that lie in one word', () => {
    const secret = 'Q1w2E3r4T5y6';
    expect(maskedText(`?a_token=b&c_token=${secret}`)).not.toContain(secret);
    expect(maskedText(`TOKEN=${'x'.repeat(490)}TOKEN=${secret}`)).not.toContain(secret);
    expect(maskedText(`sk-sk-sk-${secret}${secret}`)).not.toContain(secret);
    expect(maskedText(`--token=a--api_key=${secret}`)).not.toContain(secret);
  });
});
