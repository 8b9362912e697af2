import { join } from 'node:path';
import { PictureProblem } from '../datasets/pictureProblem.js';
import { readProvenance } from '../sessions/provenance/provenance.js';
import type { SampleFacts } from '../sessions/savedFacts.js';
import type { Session } from '../sessions/status/session.js';
import type { Trackside } from '../trackside.js';
import { thumbnailOf } from './sendSamples.js';
import { sessionModel } from './sessionPage.js';

/** Pictures in a report, and bytes of all of them. */
const MOST_SAMPLES = 40;
const MOST_BYTES = 2_000_000;

/** A session as one HTML file that needs nothing else: settings, curve, samples, environment. */
export async function reportOf(trackside: Trackside, session: Session): Promise<string> {
  const model = await sessionModel(trackside, session.name, '');
  return trackside.views.report({
    ...model,
    pictures: await picturesOf(trackside, session, model.samples),
    provenance: await readProvenance(session.folder),
    version: trackside.settings.version,
  });
}

/** The newest samples as data URIs. */
async function picturesOf({ outputs }: Trackside, { folder, dialect }: Session, samples: readonly SampleFacts[]) {
  const found: { sample: SampleFacts; uri: string }[] = [];
  let bytes = 0;
  for (const sample of samples.filter(({ lost }) => !lost).slice(0, MOST_SAMPLES)) {
    const path = join(folder, dialect.samples.folder, sample.name);
    const picture = await thumbnailOf(outputs.root, path).catch((error: unknown) => {
      if (error instanceof PictureProblem) return null;
      throw error;
    });
    if (!picture) continue;
    bytes += picture.length;
    if (bytes > MOST_BYTES) break;
    found.push({ sample, uri: `data:image/webp;base64,${picture.toString('base64')}` });
  }
  return found;
}
