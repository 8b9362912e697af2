import { stat } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import type { CommitProgressEvent } from '@huggingface/hub';
import { z } from 'zod';
import { type HubAccess, repoName, repoPage } from '../hub/hub.js';
import { log } from '../log.js';
import { Problem } from '../problem.js';

/** A file to upload: `path` in the repository, and the file on this machine. */
export type PublishedFile = { path: string; from: string };

export type PublishRequest = { session: string; repo: string; private: boolean; files: readonly PublishedFile[] };

/** The state of an upload. `url` is the page of the repository. */
export const publicationFacts = z.object({
  repo: z.string(),
  url: z.string(),
  status: z.enum(['preparing', 'reading', 'uploading', 'committing', 'done', 'failed']),
  files: z.number(),
  bytes_done: z.number(),
  bytes: z.number(),
  message: z.string().nullable(),
});
export type PublicationFacts = z.infer<typeof publicationFacts>;

export type Publishing = ReturnType<typeof createPublishing>;

type Running = { facts: PublicationFacts; stop: AbortController; ended: Promise<void> };

/**
 * Uploads a session's LoRA to the hub with the hub's own library: repository, large files, one commit. After a failure the
 * next upload skips the files that arrived. An upload ends with the sidecar; the same button starts it again.
 */
export function createPublishing({ hub, changed }: { hub: HubAccess; changed(session: string): void }) {
  const all = new Map<string, Running>();

  async function run(wish: PublishRequest, { facts, stop }: Running, token: string): Promise<void> {
    const now = (change: Partial<PublicationFacts>) => {
      Object.assign(facts, change);
      changed(wish.session);
    };
    // Large and rarely needed, so loaded for the first upload.
    const { commitIter, createRepo } = await import('@huggingface/hub');
    const at = { repo: { type: 'model' as const, name: wish.repo }, hubUrl: hub.endpoint, accessToken: token };
    const sizes = new Map<string, number>();
    for (const { path, from } of wish.files) sizes.set(path, (await stat(from)).size);
    now({ bytes: [...sizes.values()].reduce((sum, size) => sum + size, 0) });
    await createRepo({ ...at, visibility: wish.private ? 'private' : 'public' }).catch((error: unknown) => {
      // 409: it exists already, perhaps from an earlier version.
      if (statusOf(error) !== 409) throw error;
    });
    const sent = new Map<string, number>();
    const count = (path: string, bytes: number) => {
      sent.set(path, Math.min(sizes.get(path) ?? 0, bytes));
      const done = [...sent.values()].reduce((sum, each) => sum + each, 0);
      if (done - facts.bytes_done > facts.bytes / 200 || done === facts.bytes) now({ bytes_done: done });
      else facts.bytes_done = done;
    };
    const steps = commitIter({
      ...at,
      title: `Publish ${wish.session} with Trackside`,
      operations: wish.files.map(({ path, from }) => {
        return { operation: 'addOrUpdate', path, content: pathToFileURL(from) };
      }),
      abortSignal: stop.signal,
      useXet: false,
      fetch: countingFetch((path, bytes) => count(path, (sent.get(path) ?? 0) + bytes)),
    });
    for (let step = await steps.next(); !step.done; step = await steps.next()) {
      const event = step.value;
      if (event.event === 'phase') now({ status: PHASES[event.phase] });
      else if (event.state === 'hashing') facts.status = 'reading';
      else facts.status = facts.status === 'reading' ? 'uploading' : facts.status;
      if (event.event === 'fileProgress' && event.state === 'uploading' && event.progress === 1)
        count(event.path, sizes.get(event.path) ?? 0);
    }
    now({ status: 'done', bytes_done: facts.bytes });
    log.info('publish', 'An upload is complete.', { session: wish.session, repo: wish.repo, bytes: facts.bytes });
  }

  return {
    facts: (session: string): PublicationFacts | null => all.get(session)?.facts ?? null,
    /** How many uploads are under way. */
    running: () => [...all.values()].filter(({ facts }) => !isOver(facts)).length,
    /** Starts an upload in the background. Throws a Problem if it can't start. */
    async start(wish: PublishRequest): Promise<PublicationFacts> {
      const repo = repoName(wish.repo);
      const token = hub.token();
      const more = { field: 'repo', about: 'secrets' } as const;
      const none = 'Uploading needs a Hugging Face token with write access. Set HF_TOKEN first.';
      if (!token) throw new Problem('no_token', none, more);
      if (!token.startsWith('hf_'))
        throw new Problem('bad_token', 'HF_TOKEN is not a Hugging Face token, which starts with hf_.', more);
      const before = all.get(wish.session);
      const about = { session: wish.session };
      if (before && !isOver(before.facts))
        throw new Problem('under_way', `${wish.session} is already being uploaded.`, { about });
      const facts: PublicationFacts = {
        repo,
        url: repoPage(hub.endpoint, repo),
        status: 'preparing',
        files: wish.files.length,
        bytes_done: 0,
        bytes: 0,
        message: null,
      };
      log.info('publish', 'An upload has started.', { session: wish.session, repo, files: wish.files.length });
      const entry: Running = { facts, stop: new AbortController(), ended: Promise.resolve() };
      all.set(wish.session, entry);
      entry.ended = run({ ...wish, repo }, entry, token).catch((error: unknown) => {
        Object.assign(facts, { status: 'failed', message: inWords(error, hub, repo) });
        log.warn('publish', 'An upload failed.', { session: wish.session, repo, error });
        changed(wish.session);
      });
      changed(wish.session);
      return facts;
    },
    /** Stops an upload, or forgets its result. */
    async cancel(session: string) {
      const entry = all.get(session);
      entry?.stop.abort();
      await entry?.ended;
      all.delete(session);
      changed(session);
    },
    async close() {
      for (const { stop } of all.values()) stop.abort();
      await Promise.all([...all.values()].map(({ ended }) => ended));
    },
  };
}

const PHASES: Record<Extract<CommitProgressEvent, { event: 'phase' }>['phase'], PublicationFacts['status']> = {
  preuploading: 'preparing',
  uploadingLargeFiles: 'uploading',
  committing: 'committing',
};

export function isOver({ status }: PublicationFacts): boolean {
  return status === 'done' || status === 'failed';
}

/** Counts bytes as they are read: the library reports an upload's progress in browsers only. */
function countingFetch(sent: (path: string, bytes: number) => void): typeof fetch {
  return async (input, init) => {
    const path = (init as { progressHint?: { path?: string } } | undefined)?.progressHint?.path;
    if (!path || init?.method !== 'PUT' || !(init.body instanceof Blob)) return fetch(input, init);
    const { size } = init.body;
    const counted = init.body.stream().pipeThrough(
      new TransformStream<Uint8Array, Uint8Array>({
        transform(chunk, controller) {
          sent(path, chunk.length);
          controller.enqueue(chunk);
        },
      }),
    );
    // Object stores need the length in advance.
    const headers = { ...(init.headers as Record<string, string> | undefined), 'Content-Length': String(size) };
    return fetch(input, { ...init, body: counted, headers, duplex: 'half' } as RequestInit);
  };
}

/** Explains an error of the hub or the network to people, without the signed addresses of uploads. */
function inWords(error: unknown, hub: HubAccess, repo: string): string {
  const retry = 'Upload again; files that arrived are skipped.';
  const status = statusOf(error);
  if (status === 401) return 'The hub does not accept the token. Set a valid one and upload again.';
  if (status === 403)
    return `The token has no write access to ${repo.split('/')[0]}. Set one that has, and upload again.`;
  if (status === 404) return `The hub has no ${repo}, or the token may not see it. Check the name and the token.`;
  if (status) return `The hub answered with ${status}. ${retry}`;
  const { name, message, cause } = error as Error & { cause?: { code?: string } };
  if (name === 'AbortError') return 'The upload was cancelled.';
  const { host } = new URL(hub.endpoint);
  if (cause?.code || message === 'fetch failed')
    return `The connection to ${host} broke (${cause?.code ?? message}). ${retry}`;
  const code = (error as NodeJS.ErrnoException).code;
  return code ? `A file could not be read (${code}).` : message;
}

/** The status of the library's HubApiError. */
function statusOf(error: unknown): number | null {
  const { statusCode } = (error ?? {}) as { statusCode?: unknown };
  return typeof statusCode === 'number' ? statusCode : null;
}
