import type { DownloadFacts } from '../hub/downloadFacts.js';
import type { FamilyNeeds, NeedFacts } from '../hub/needs.js';
import type { HubSource } from '../hub/sources.js';
import { type ModelFile, roleNames } from '../models/roles.js';
import { bytes, duration, joined, percent } from './formatting.js';
import type { PageModel } from './frame.js';

export type ModelsModel = PageModel & {
  /** Where downloads go; absolute. */
  folder: string;
  files: readonly ModelFile[];
  families: readonly FamilyNeeds[];
  /** What could not be used of the user's own sources.toml, in words. */
  wrong_sources: readonly string[];
  downloads: readonly DownloadFacts[];
  /** Is there a token for the hub? */
  token: boolean;
  /** What was typed for a download, and what is wrong with it, by field. */
  values: Record<string, string>;
  errors: Record<string, string>;
};

/** Its live regions are the templates parts/downloads, parts/needs and parts/modelFiles. */
export type ModelsView = ReturnType<typeof modelsView>;

export function modelsView(model: ModelsModel) {
  const { root, folder, token, files, families, downloads, values, errors } = model;
  const at = `${root}models`;
  const open =
    families.find(({ needs, ready }) => !ready && (needs[0]?.here.length ?? 0) > 0) ??
    families.find(({ ready }) => !ready);
  return {
    at,
    folder,
    token,
    downloads: downloads.map((download) => downloadView(download, at)),
    families: families.map((family) => familyView(family, files, family === open)),
    wrongSources: model.wrong_sources,
    groups: groups(files),
    count: files.filter(({ usable }) => usable).length,
    repo: { value: values.repo ?? '', error: errors.repo ?? null },
    file: { value: values.file ?? '', error: errors.file ?? null },
    folders: FOLDERS.map(([value, label]) => ({ value, label, chosen: values.folder === value })),
  };
}

const FOLDERS = [
  ['unet', 'unet: main models'],
  ['checkpoints', 'checkpoints: SD and SDXL'],
  ['clip', 'clip: text encoders'],
  ['vae', 'vae: autoencoders'],
] as const;

function downloadView(download: DownloadFacts, at: string) {
  const address = `${at}/downloads/${download.id.split('/').map(encodeURIComponent).join('/')}`;
  const share = download.bytes ? (100 * download.bytes_done) / download.bytes : null;
  const ended = download.status === 'done' || download.status === 'failed';
  return {
    label: download.label,
    path: download.path,
    /** "7.4 of 24 GB · 112 MB/s · 2 min left" */
    state: stateWords(download, share),
    percent: download.status === 'done' ? null : share,
    tone: { failed: 'fail', waiting: 'wait', done: 'done', queued: 'wait', downloading: 'run', checking: 'run' }[
      download.status
    ],
    message: download.message,
    link: download.link,
    again: download.status === 'failed' ? `${address}/tries` : null,
    end: `${address}?_method=DELETE`,
    endLabel: ended ? 'Remove from the list' : 'Cancel',
  };
}

function stateWords(download: DownloadFacts, share: number | null): string {
  const { status, bytes_done: done, bytes: all, bytes_per_second: rate, eta_seconds: left } = download;
  const size =
    all === null ? (done > 0 ? bytes(done) : '') : status === 'done' ? bytes(all) : `${bytes(done)} of ${bytes(all)}`;
  const words = {
    queued: 'queued',
    downloading: rate === null ? 'downloading' : `${bytes(Math.round(rate))}/s`,
    checking: `verifying, ${percent(share)}`,
    waiting: 'waiting',
    failed: 'failed',
    done: 'downloaded',
  }[status];
  return joined(words, size, status === 'downloading' && left !== null && `${duration(left)} left`);
}

function familyView(family: FamilyNeeds, files: readonly ModelFile[], open: boolean) {
  const missing = family.needs.filter((need) => need.missing);
  const size = missing.reduce((sum, { sources }) => sum + (sources[0]?.bytes ?? 0), 0);
  const names = missing.map(({ label }) => label).join(', ');
  const count = missing.length + (family.tokenizers.length > 0 ? 1 : 0);
  return {
    id: family.id,
    label: family.label,
    ready: family.ready,
    open,
    state: family.ready ? 'ready to train' : `${names}: not downloaded${size ? ` (${bytes(size)})` : ''}`,
    needs: family.needs.map((need) => needView(need, files)),
    tokenizers: family.tokenizers.length > 0 ? family.tokenizers.join(', ') : null,
    /** Offered where more than one thing is missing. */
    all: count > 1 && missing.every(({ sources }) => sources.length > 0) ? 'Download everything missing' : null,
    /** Which main model that is, where there are several. */
    bases: basesOf(missing[0] === family.needs[0] ? missing[0] : undefined),
  };
}

function basesOf(main: NeedFacts | undefined) {
  const byValue = new Map<string, string>();
  for (const { baseModel, label } of main?.sources ?? []) {
    if (baseModel !== null && !byValue.has(baseModel)) byValue.set(baseModel, label);
  }
  return byValue.size > 1 ? [...byValue].map(([value, label]) => ({ value, label })) : [];
}

function needView({ label, here, required, missing, sources }: NeedFacts, files: readonly ModelFile[]) {
  const names = here.map((path) => files.find((file) => file.path === path)?.name ?? path);
  const inside = required && !missing && here.length === 0;
  const offers = here.length > 0 || inside ? [] : sources.map(offerView);
  return {
    label,
    /** The first three, and how many more. */
    here: names.slice(0, 3).join(', '),
    more: names.length > 3 ? ` and ${names.length - 3} more` : '',
    note: inside ? 'included in the model' : required ? '' : 'optional',
    offers,
    /** There is none, and no place is known to get one. */
    unknown: here.length === 0 && sources.length === 0,
  };
}

/** `about`: size, and whether there is a licence to accept. */
function offerView({ repo, file, label, bytes: size, gated }: HubSource) {
  return { repo, file, label, about: joined(label, size !== null && bytes(size), gated && 'licence required') };
}

/** By role, what can be used first; files that no family needs come last. */
function groups(files: readonly ModelFile[]) {
  const roles = [...new Set(files.map(({ role }) => role))];
  return roles.map((role) => ({
    role: role ? roleNames[role] : 'Other files',
    files: files
      .filter((file) => file.role === role)
      .sort((a, b) => Number(b.usable) - Number(a.usable))
      .map(({ name, path, detail, bytes: size, reason }) => ({
        name,
        path,
        detail: detail ?? '',
        size: bytes(size),
        reason,
      })),
  }));
}
