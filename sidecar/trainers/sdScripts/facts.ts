import { memoForTime } from '../../files/memoForTime.js';
import type { Gpus } from '../../processes/gpus.js';
import { runCommand } from '../../processes/run.js';
import type { Settings } from '../../settings.js';
import { findCheckout, usualPlaces } from './checkout.js';
import { missingPackages, type Package, readPackages } from './packages.js';

/** The facts about sd-scripts; all null when it was not found. `missing`: sentences, each with a remedy. */
export type SdScriptsFacts = {
  path: string | null;
  commit: string | null;
  python: string | null;
  python_from: string | null;
  python_version: string | null;
  packages: Package[];
  gpus: { index: number; name: string; memory_total: number | null; driver: string }[];
  missing: string[];
  /** The places that were searched in vain. */
  looked_in: string[];
};

const FRESH_MS = 10_000;
const kept = memoForTime<ReturnType<typeof readPackages>>(FRESH_MS);

/** Reads the facts about sd-scripts on this machine, and what is missing. Asks Python every ten seconds at most. */
export async function sdScriptsFacts(settings: Settings, { gpus, missing: noGpu }: Gpus): Promise<SdScriptsFacts> {
  const cards = gpus.map(({ index, name, memoryTotal, driver }) => ({
    index,
    name,
    memory_total: memoryTotal,
    driver,
  }));
  const checkout = findCheckout(settings);
  if ('missing' in checkout) {
    const none = { path: null, commit: null, python: null, python_from: null, python_version: null, packages: [] };
    return { ...none, gpus: cards, missing: [checkout.missing], looked_in: usualPlaces(settings.root) };
  }
  const found = await kept(`${checkout.python} ${checkout.path}`, () => readPackages(checkout, runCommand));
  return {
    path: checkout.path,
    commit: checkout.commit,
    python: checkout.python,
    python_from: checkout.pythonFrom,
    python_version: found.python,
    packages: found.packages,
    gpus: cards,
    missing: [...missingPackages(checkout, found), ...(noGpu ? [noGpu] : [])],
    looked_in: [],
  };
}
