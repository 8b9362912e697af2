import { logged } from '../../caught.js';
import type { Hub } from '../../live/hub.js';
import type { FileHashes } from '../../models/fileHash.js';
import type { Settings } from '../../settings.js';
import { readLaunch } from '../../trainers/tracked/launchRecord.js';
import { TRACKED } from '../../trainers/tracked/trainer.js';
import { recordScript } from '../attempt/startAgain.js';
import type { Outputs } from '../outputs/outputs.js';
import { readProvenance } from '../provenance/provenance.js';
import { completeProvenance } from '../provenance/record.js';
import { interpreterOf } from '../provenance/script.js';

/** A training that ended longer ago may have run with other packages and another script than there are now. */
const LATELY_MS = 10 * 60_000;

type Parts = { settings: Settings; outputs: Outputs; hub: Hub; hashes: FileHashes };

/**
 * Records what a training is made from that was begun in a terminal, with `trackside.track`: by its launch.json, as soon as
 * a sidecar sees it. One that the page starts is recorded before it starts.
 */
export function watchTrackedStarts({ settings, outputs, hub, hashes }: Parts) {
  let leave = () => {};
  /** The attempts that were looked at. */
  const seen = new Set<string>();

  async function look(name: string): Promise<void> {
    const facts = outputs.facts(name);
    const latest = facts?.attempts.at(-1);
    if (facts?.trainer !== TRACKED || !latest) return;
    const isNew = latest.alive || Date.now() - Date.parse(latest.ended_at ?? '') < LATELY_MS;
    const key = `${name} ${latest.number} ${latest.started_at}`;
    if (!isNew || seen.has(key)) return;
    seen.add(key);
    const session = await outputs.read(name);
    const [launch, known] = [await readLaunch(session.folder), await readProvenance(session.folder)];
    const { latest: entry } = session;
    if (!launch || !entry || known?.attempt.id === entry.id) return;
    if (known?.resumed.some(({ attempt }) => attempt === entry.number)) return;
    const { argv, cwd, environment: variables } = launch;
    await recordScript(
      settings,
      { session, begin: { kind: entry.kind }, command: { argv, cwd }, entry, variables },
      TRACKED,
    );
    await completeProvenance(session.folder, interpreterOf(argv, settings.python), { hashes, models: settings.models });
  }

  const lookAt = (name: string) =>
    void look(name).catch(logged('sessions', 'What the training is made from could not be recorded.', name));

  return {
    async open() {
      leave = hub.join((event) => {
        if (event.type === 'session') lookAt(event.name);
      });
      for (const { name } of await outputs.list()) lookAt(name);
    },
    close: () => leave(),
  };
}
