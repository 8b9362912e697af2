import { ifMissing, logged } from '../caught.js';
import type { Hub } from '../live/hub.js';
import type { Outputs } from '../sessions/outputs/outputs.js';
import { cardFacts, writeCard } from './card.js';

/** Sessions that completed longer ago are old work, whose folders stay as they are. */
const LATELY_MS = 24 * 3_600_000;

/** Writes the model card of every session that completes, also while no sidecar ran; once per completion. */
export function createCards({ outputs, hub, version }: { outputs: Outputs; hub: Hub; version: string }) {
  const seen = new Map<string, string>();
  let leave = () => {};
  let writing: Promise<unknown> = Promise.resolve();

  function look(name: string): void {
    const facts = outputs.facts(name);
    if (facts?.status !== 'completed' || !facts.completed_at || seen.get(name) === facts.completed_at) return;
    seen.set(name, facts.completed_at);
    if (Date.now() - Date.parse(facts.completed_at) > LATELY_MS) return;
    // One after the other; a failed card does not stop the next.
    writing = writing
      .then(() => write(name))
      // A session that was deleted meanwhile needs none.
      .catch(ifMissing(undefined))
      .catch(logged('publish', 'The model card could not be written.', name));
  }

  async function write(name: string): Promise<void> {
    const session = await outputs.read(name);
    if (session.facts.status !== 'completed') return;
    await writeCard(await cardFacts(session, version));
    // An open page says whose card there is.
    hub.tell({ type: 'publication', name });
  }

  return {
    open() {
      leave = hub.join((event) => {
        if (event.type === 'session') look(event.name);
      });
    },
    async close() {
      leave();
      await writing;
    },
  };
}
