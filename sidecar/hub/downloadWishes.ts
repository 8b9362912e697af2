import { basename } from 'node:path';
import { tokenizerRequests } from '../models/tokenizers.js';
import { Problem } from '../problem.js';
import { families } from '../trainers/sdScripts/families.js';
import { type DownloadFacts, type DownloadRequest, idOf } from './downloadFacts.js';
import { hubFile } from './hub.js';
import type { FamilyNeeds } from './needs.js';
import { type HubSource, hubSource, modelKinds, readSources } from './sources.js';

/**
 * Everything that a family lacks and the hub is known to have, for this base model; without what is under way. `models` is
 * the models folder. Throws a Problem for an unknown family.
 */
export async function missingOf(
  models: string,
  { families: needs, downloads }: { families: readonly FamilyNeeds[]; downloads: readonly DownloadFacts[] },
  id: string,
  baseModel: string | null,
): Promise<DownloadRequest[]> {
  const family = needs.find((each) => each.id === id);
  if (!family) throw noFamily(id);
  const wanted = family.needs
    .filter(({ missing }) => missing)
    .flatMap(({ role, sources }) => hubSource(sources, role, baseModel) ?? []);
  const all = [...wanted.map(fileRequest), ...(await tokenizersOf(models, id))];
  const underWay = new Set(
    downloads.flatMap(({ status, id: of }) => (status === 'failed' || status === 'done' ? [] : [of])),
  );
  return all.filter((request) => !underWay.has(idOf(request)));
}

/** The tokenizers that a family lacks. Throws a Problem for an unknown family. */
export async function tokenizersOf(models: string, id: string): Promise<DownloadRequest[]> {
  const family = families.find((each) => each.id === id);
  if (!family?.needs[0]) throw noFamily(id);
  return tokenizerRequests(models, family.needs[0].role);
}

/** One file of the hub: a known one for the folder of its kind, any other for `folder`. Throws a Problem with its field. */
export async function fileWish(models: string, repo: string, file: string, folder: string): Promise<DownloadRequest> {
  const wanted = hubFile(repo, file);
  const { sources } = await readSources(models);
  const known = sources.find((source) => source.repo === wanted.repo && source.file === wanted.file);
  if (known) return fileRequest(known);
  const into = modelKinds.find((each) => each === (folder || 'unet'));
  if (!into) throw new Problem('bad_folder', `Models go to ${modelKinds.join(', ')}.`, { field: 'folder' });
  if (!/\.(safetensors|sft)$/.test(wanted.file)) {
    throw new Problem('bad_file', 'Only .safetensors files are downloaded: nothing else is loaded.', { field: 'file' });
  }
  return fileRequest({ label: basename(wanted.file), ...wanted, folder: into });
}

type Wanted = Pick<HubSource, 'label' | 'repo' | 'file' | 'revision' | 'folder'>;

function fileRequest({ label, repo, file, revision, folder }: Wanted): DownloadRequest {
  const parts = [{ file, path: basename(file), optional: false, etag: null, bytes: null }];
  return { label, repo, revision, into: folder, parts };
}

function noFamily(id: string): Problem {
  return new Problem('no_family', `There is no family “${id}”.`, { about: 'models' });
}
