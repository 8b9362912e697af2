import { repeatedly } from '../caught.js';
import type { NoticeStore } from './noticeSettings.js';
import { post } from './post.js';
import { Undelivered } from './undelivered.js';

const LOOK_MS = 2000;

export type PingFacts = { at: string; error: string | null };

/**
 * Asks an address again and again, while this sidecar lives: a service there tells the person when that ends, which a pod
 * that is gone can't (healthchecks.io/docs/http_api).
 */
export function createPing({ store }: { store: NoticeStore }) {
  let last: PingFacts | null = null;
  let due = 0;
  let seen = '';

  const { open, close } = repeatedly('ping', LOOK_MS, async () => {
    const { ping } = store.now();
    const set = JSON.stringify(ping);
    if (set !== seen) due = 0;
    seen = set;
    if (!ping || performance.now() < due) return;
    due = performance.now() + ping.minutes * 60_000;
    const at = new Date().toISOString();
    try {
      await post(ping.url, { method: 'GET' });
      last = { at, error: null };
    } catch (error) {
      if (!(error instanceof Undelivered)) throw error;
      last = { at, error: error.message };
      // Soon again: the service would take one missed ping for the pod's end.
      due = performance.now() + Math.min(30_000, ping.minutes * 60_000);
    }
  });

  return {
    /** The last ping; null before the first. */
    last: () => last,
    open,
    close,
  };
}
