import { maskedText } from '../security/redact.js';
import { Undelivered } from './undelivered.js';

const PATIENCE_MS = 15_000;
/** Bytes of an answer that are read, unless more are wanted (`most`). */
const MOST_ANSWER = 4096;
/** Answers after which the same request may succeed: RFC 9110 sections 15.5.9, 15.6; RFC 6585 section 4. */
const AGAIN = new Set([408, 425, 429]);
const LONGEST_WAIT_S = 3600;

export type Outgoing = {
  method?: string;
  headers?: Record<string, string>;
  body?: string | Uint8Array | FormData;
  most?: number;
};

/**
 * Sends a request to another service, in bounded time, and returns the beginning of its answer. Follows no redirect: it would
 * carry the secrets elsewhere. Throws Undelivered, whose words hold no address.
 */
export async function post(
  url: string,
  { method = 'POST', headers = {}, body, most = MOST_ANSWER }: Outgoing,
): Promise<string> {
  let answer: Response;
  try {
    answer = await fetch(url, {
      method,
      headers: { 'User-Agent': 'Trackside', ...headers },
      ...(body === undefined ? {} : { body: body as NonNullable<RequestInit['body']> }),
      redirect: 'manual',
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
  } catch (error) {
    throw new Undelivered(unreachable(error as Error), true);
  }
  const text = await beginning(answer, most);
  if (answer.ok) return text;
  const { status } = answer;
  if (status >= 300 && status < 400)
    throw new Undelivered(`The server answered with a redirect (${status}), which is not followed.`, false);
  const said = maskedText(text.split('\n')[0]?.slice(0, 200) ?? '').trim();
  const words = `The server answered with ${status}${said ? `: ${said}` : ''}.`;
  throw new Undelivered(words, status >= 500 || AGAIN.has(status), retryAfter(answer));
}

function unreachable({ name, message, cause }: Error): string {
  if (name === 'TimeoutError') return `The server did not answer within ${PATIENCE_MS / 1000} s.`;
  const { code } = (cause ?? {}) as { code?: string };
  return `The server can't be reached (${code ?? message.slice(0, 80)}).`;
}

async function beginning({ body }: Response, most: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const chunk of body ?? []) {
      chunks.push(chunk);
      length += chunk.length;
      if (length >= most) break;
    }
  } catch {
    // silent: the status has said what counts.
  }
  return Buffer.concat(chunks).subarray(0, most).toString('utf8');
}

/** Seconds; a date counts as none. */
function retryAfter({ headers }: Response): number {
  const seconds = Number(headers.get('retry-after'));
  return Number.isFinite(seconds) ? Math.min(Math.max(0, seconds), LONGEST_WAIT_S) : 0;
}
