import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Hono } from 'hono';
import { createApp } from '../sidecar/app.js';
import { readSettings, type Settings } from '../sidecar/settings.js';
import { createTrackside } from '../sidecar/trackside.js';
import { exampleDataset, quick } from './sidecar.js';

/** The app in this very process, over folders of its own: for what needs no port, no start and no trainer. */
export type InProcess = {
  app: Hono;
  settings: Settings;
  /** As a program asks; `Accept: text/html` among the headers asks as a browser does. */
  ask(path: string, request?: RequestInit): Promise<Response>;
  /** Makes a session that is not started. */
  draft(fields: Record<string, unknown>): Promise<void>;
  leave(): void;
};

export function appInProcess(environment: NodeJS.ProcessEnv = {}): InProcess {
  const folder = mkdtempSync(join(tmpdir(), 'trackside-app-'));
  const settings = readSettings(
    { login: false },
    {
      TRACKSIDE_OUTPUTS: join(folder, 'outputs'),
      TRACKSIDE_DATASETS: join(folder, 'datasets'),
      TRACKSIDE_PRIVATE: join(folder, 'private'),
      ...environment,
    },
  );
  for (const each of [settings.outputs, settings.datasets, settings.private]) mkdirSync(each, { mode: 0o700 });
  cpSync(exampleDataset, join(settings.datasets, 'example'), { recursive: true });
  const app = createApp(createTrackside(settings));
  const ask: InProcess['ask'] = async (path, request = {}) =>
    app.request(path, { ...request, headers: { Host: 'localhost', ...request.headers } });
  return {
    app,
    settings,
    ask,
    async draft(fields) {
      const headers = { 'Content-Type': 'application/json', Accept: 'application/json' };
      const made = await ask('/sessions', { method: 'POST', headers, body: JSON.stringify({ ...quick, ...fields }) });
      if (made.status !== 201) throw new Error(await made.text());
    },
    leave: () => rmSync(folder, { recursive: true, force: true }),
  };
}
