import { within } from '../caught.js';
import { log } from '../log.js';

/** A disk that works answers within milliseconds, a busy network volume within seconds. */
const PATIENCE_MS = 3000;
/** Each unanswered call keeps one of Node's four threads for files (libuv's UV_THREADPOOL_SIZE). */
const MOST_UNANSWERED = 2;

const unanswered = new Set<string>();

/**
 * The result of work with files in places that other programs name, where a dead network mount never answers: an error
 * `no_answer` after 3 s. Further work with such a place gets the error at once until the first is answered; with two of
 * them, all work that goes through here does.
 *
 * @param key one piece of work at a time has it, such as the path
 */
export async function inTime<T>(key: string, work: () => Promise<T>, patienceMs = PATIENCE_MS): Promise<T> {
  if (unanswered.has(key) || unanswered.size >= MOST_UNANSWERED) throw late(key);
  const working = work();
  return within(patienceMs, working, () => {
    log.warn('files', 'A disk does not answer; its files count as missing until it does.', { key });
    unanswered.add(key);
    const answered = () => unanswered.delete(key);
    working.then(answered, answered);
    return Promise.reject(late(key));
  });
}

/** Has work with this place not been answered, and is it still waited for? Whoever asks for it at once waits with it. */
export function isUnanswered(key: string): boolean {
  return unanswered.has(key);
}

function late(key: string): Error & { code: string } {
  return Object.assign(new Error(`the disk does not answer (${key})`), { code: 'no_answer' });
}
