import { ATTEMPT_FLAGS } from '../../trainers/flagPolicy.js';
import type { Difference, ModelRecord, Provenance } from './provenance.js';

/** Lines of one kind that are told one by one. */
const MOST = 30;

/** What one compares of a training: the record of its start, or how it would start now. */
export type Comparable = Pick<
  Provenance,
  'trackside' | 'command' | 'trainer' | 'environment' | 'packages' | 'dataset' | 'models'
>;

/**
 * What differs, line by line, what matters most first. Pure. What is unknown on one side is no difference.
 *
 * @param own folders and files that each session has for itself, which are left out of its command
 */
export function differences(then: Comparable, now: Comparable, own: { was: string; now: string }): Difference[] {
  return [
    ...datasetLines(then.dataset, now.dataset),
    ...modelLines(then.models, now.models),
    ...trainerLines(then.trainer, now.trainer),
    ...commandLines(then.command.argv, now.command.argv, own),
    ...environmentLines(then.environment, now.environment),
    ...packageLines(then.packages, now.packages),
    ...line('Trackside', then.trackside || null, now.trackside),
  ];
}

/** Nothing where both are the same, or one is unknown. */
function line(what: string, was: string | null | undefined, now: string | null | undefined): Difference[] {
  return was == null || now == null || was === now ? [] : [{ what, was, now }];
}

function datasetLines(then: Provenance['dataset'], now: Provenance['dataset']): Difference[] {
  if (!then || !now) return [];
  const lines = [
    ...line('Dataset', then.name, now.name),
    ...line('Repeats', then.repeats?.toString(), now.repeats?.toString()),
  ];
  if (then.files.length === 0) {
    if (then.fingerprint && then.fingerprint !== now.fingerprint)
      lines.push({ what: 'Pictures and captions', was: 'as they were', now: 'changed' });
    return lines;
  }
  const before = new Map(then.files.map((each) => [each.file, each]));
  const after = new Map(now.files.map((each) => [each.file, each]));
  const changes: Difference[] = [];
  for (const [file, old] of before) {
    const present = after.get(file);
    if (!present) changes.push({ what: `Picture ${file}`, was: bytesOf(old.bytes), now: 'gone' });
    else {
      const other = old.sha256 !== null && present.sha256 !== null && old.sha256 !== present.sha256;
      if (old.bytes !== present.bytes || other)
        changes.push({ what: `Picture ${file}`, was: hashed(old), now: hashed(present) });
      if (old.caption !== present.caption)
        changes.push({ what: `Caption of ${file}`, was: quoted(old.caption), now: quoted(present.caption) });
    }
  }
  for (const [file, { bytes }] of after)
    if (!before.has(file)) changes.push({ what: `Picture ${file}`, was: 'not there', now: bytesOf(bytes) });
  return [...lines, ...bounded('Pictures and captions', changes)];
}

function modelLines(then: readonly ModelRecord[], now: readonly ModelRecord[]): Difference[] {
  const after = new Map(now.map((each) => [each.flag, each]));
  return then.flatMap((old) => {
    const present = after.get(old.flag);
    if (!present) return [];
    const what = `Model --${old.flag}`;
    if (present.bytes === null) return [{ what, was: modelWords(old), now: `${present.path} is missing` }];
    const known = old.sha256 !== null && present.sha256 !== null;
    // The same content at another place is the same model.
    if (known ? old.sha256 === present.sha256 : old.bytes === present.bytes && old.modified_at === present.modified_at)
      return [];
    return [{ what, was: modelWords(old), now: modelWords(present) }];
  });
}

function trainerLines(then: Provenance['trainer'], now: Provenance['trainer']): Difference[] {
  return [
    ...line('Trainer', then.id, now.id),
    ...line('Commit of the trainer', then.commit, now.commit),
    ...line('Script', hashWords(then.sha256), hashWords(now.sha256)),
    ...(then.uncommitted !== null && now.uncommitted !== null && then.uncommitted !== now.uncommitted
      ? [
          {
            what: 'Uncommitted changes of the trainer',
            was: diffWords(then.uncommitted),
            now: `${diffWords(now.uncommitted)}, ${now.uncommitted === '' ? 'the checkout is clean' : 'other ones'}`,
          },
        ]
      : []),
  ];
}

function commandLines(
  then: readonly string[],
  now: readonly string[],
  own: { was: string; now: string },
): Difference[] {
  if (then.length === 0 || now.length === 0) return [];
  const before = flags(then, own.was);
  const after = flags(now, own.now);
  const names = [...new Set([...before.keys(), ...after.keys()])];
  const changes = names.flatMap((name) => {
    const [was, is] = [before.get(name), after.get(name)];
    return was === is ? [] : [{ what: name, was: was ?? 'not given', now: is ?? 'not given' }];
  });
  return bounded('Flags', changes);
}

/** The values of each flag as one text. What names the session's own folder says nothing. */
function flags(argv: readonly string[], folder: string): Map<string, string> {
  const found = new Map<string, string>();
  const name = folder.split('/').at(-1) ?? '';
  let flag: string | null = null;
  for (const token of argv.slice(argv.findIndex((each) => each.endsWith('.py')) + 1)) {
    if (token.startsWith('--')) {
      const sign = token.indexOf('=');
      flag = sign < 0 ? token : token.slice(0, sign);
      found.set(flag, sign < 0 ? '' : token.slice(sign + 1));
    } else if (flag) found.set(flag, [found.get(flag), token].filter(Boolean).join(' '));
  }
  for (const each of [...found.keys()]) {
    const value = found.get(each) ?? '';
    if (value === folder || value.startsWith(`${folder}/`) || value === name || ATTEMPT_FLAGS.has(each))
      found.delete(each);
    else if (value === '') found.set(each, 'on');
  }
  return found;
}

const ENVIRONMENT: Record<string, string> = {
  ...{ python: 'Python', torch: 'torch', accelerate: 'accelerate' },
  ...{ gpu: 'GPU', driver: 'NVIDIA driver', system: 'System' },
};

function environmentLines(then: Provenance['environment'], now: Provenance['environment']): Difference[] {
  return Object.entries(ENVIRONMENT).flatMap(([key, what]) => line(what, then[key], now[key]));
}

function packageLines(then: readonly string[] | null, now: readonly string[] | null): Difference[] {
  if (!then || !now) return [];
  const versions = (all: readonly string[]) => new Map(all.map((each) => each.split('==') as [string, string]));
  const [before, after] = [versions(then), versions(now)];
  const changes = [...new Set([...before.keys(), ...after.keys()])]
    // They stand with the environment.
    .filter((name) => name !== 'torch' && name !== 'accelerate')
    .sort()
    .flatMap((name) => {
      const [was, is] = [before.get(name), after.get(name)];
      return was === is ? [] : [{ what: `Package ${name}`, was: was ?? 'not installed', now: is ?? 'not installed' }];
    });
  return bounded('Packages', changes);
}

function bounded(what: string, changes: Difference[]): Difference[] {
  if (changes.length <= MOST) return changes;
  const more = changes.length - MOST;
  return [...changes.slice(0, MOST), { what, was: '', now: `${more} more differ` }];
}

function bytesOf(bytes: number): string {
  return `${bytes} bytes`;
}

function hashed({ bytes, sha256 }: { bytes: number; sha256: string | null }): string {
  return [bytesOf(bytes), hashWords(sha256)].filter(Boolean).join(', ');
}

function hashWords(sha256: string | null): string | null {
  return sha256 && `sha256 ${sha256.slice(0, 12)}…`;
}

function modelWords({ path, bytes, modified_at, sha256 }: ModelRecord): string {
  if (bytes === null) return path;
  const of = hashWords(sha256) ?? `saved ${modified_at?.slice(0, 16).replace('T', ' ')}`;
  return `${path} (${bytesOf(bytes)}, ${of})`;
}

function quoted(caption: string | null): string {
  if (caption === null) return 'none';
  return `“${caption.length > 120 ? `${caption.slice(0, 119)}…` : caption}”`;
}

function diffWords(diff: string): string {
  if (diff === '') return 'none';
  const lines = diff.split('\n').filter((each) => /^[+-](?![+-]{2} )/.test(each)).length;
  return `${lines} changed lines`;
}
