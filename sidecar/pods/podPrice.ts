import { repeatedly } from '../caught.js';
import type { PodSettings } from './podSettings.js';
import type { Provider } from './provider.js';

const LOOK_MS = 2000;
/** It changes rarely, and the provider counts requests. */
const ASK_AGAIN_MS = 3_600_000;
const ASK_SOON_MS = 60_000;

/** The pod's price in US dollars an hour: the one that a person typed, else the provider's, which is asked now and then. */
export function createPodPrice(parts: { settings(): PodSettings; provider(): { provider: Provider | null } }) {
  let told: number | null = null;
  let due = 0;

  const looking = repeatedly('price', LOOK_MS, async () => {
    if (parts.settings().price > 0 || performance.now() < due) return;
    const { provider } = parts.provider();
    due = performance.now() + ASK_SOON_MS;
    told = provider ? ((await provider.look()).price ?? told) : null;
    if (told !== null) due = performance.now() + ASK_AGAIN_MS;
  });

  return {
    now: (): number | null => parts.settings().price || told,
    open() {
      void looking.now();
      looking.open();
    },
    close: looking.close,
  };
}
