import { Problem } from '../problem.js';

/** Which hub is asked, and who asks. `token` is read anew each time: it may be set while a download waits. */
export type HubAccess = { endpoint: string; token(): string | null };

/** One file of a repository. */
export type HubFile = { repo: string; file: string; revision: string };

/** What the hub says of a file before it is downloaded. */
export type HubFacts = {
  /** Where its bytes are: often another server, which must not be shown the token. */
  address: string;
  /** Null where the hub does not say. */
  bytes: number | null;
  /** Changes whenever the content does. */
  etag: string | null;
  /** Of large files the ETag is the SHA-256 of their content; null for small ones. */
  sha256: string | null;
  commit: string | null;
};

/**
 * Why the hub did not give a file. `again`: may it go better later? `patient`: however long that takes. `link`: the page
 * where something can be done.
 */
export class HubRefusal extends Error {
  override readonly name = 'HubRefusal';
  constructor(
    message: string,
    readonly again: boolean,
    readonly more: { link?: string; status?: number; waitSeconds?: number; patient?: true } = {},
  ) {
    super(message);
  }
}

/** `HF_ENDPOINT` where it is set: a mirror; people leave its `https://` out. */
export function hubEndpoint(environment = process.env): string {
  const typed = (environment.HF_ENDPOINT || 'https://huggingface.co').trim().replace(/\/+$/, '');
  return /^https?:\/\//.test(typed) ? typed : `https://${typed}`;
}

const NAME = /^[A-Za-z0-9][\w.-]{0,95}$/;

/** `owner/name`, as typed. Throws a Problem for what is not that. */
export function repoName(repo: string): string {
  const names = repo.trim().split('/');
  if (names.length !== 2 || !names.every((name) => NAME.test(name) && !name.includes('..'))) {
    const message = `“${repo}” is not a repository: it has two parts, as in black-forest-labs/FLUX.1-dev.`;
    throw new Problem('bad_repository', message, { field: 'repo' });
  }
  return names.join('/');
}

/** A file of a repository, as typed. Throws a Problem that names the field. */
export function hubFile(repo: string, file: string, revision = 'main'): HubFile {
  const name = repoName(repo);
  const parts = file.trim().split('/');
  if (file.length > 400 || !parts.every((part) => NAME.test(part) && !part.includes('..'))) {
    const message = `“${file}” is not a path of a file inside a repository, as in split_files/vae/ae.safetensors.`;
    throw new Problem('bad_file', message, { field: 'file' });
  }
  return { repo: name, file: parts.join('/'), revision };
}

/** The page of a repository, where a licence is read and accepted. */
export function repoPage(endpoint: string, repo: string): string {
  return `${endpoint}/${repo}`;
}

/**
 * Asks for a file without downloading it: `HEAD {endpoint}/{repo}/resolve/{revision}/{file}`, with the headers
 * X-Linked-Size, X-Linked-ETag and X-Repo-Commit (huggingface_hub file_download.py `get_hf_file_metadata`). Throws a
 * HubRefusal in words.
 */
export async function askHub(hub: HubAccess, wanted: HubFile, signal: AbortSignal): Promise<HubFacts> {
  let address = `${hub.endpoint}/${wanted.repo}/resolve/${encodeURIComponent(wanted.revision)}/${wanted.file}`;
  for (let hops = 0; hops < 5; hops++) {
    const token = hub.token();
    const answer = await fetch(address, {
      method: 'HEAD',
      redirect: 'manual',
      signal,
      headers: { 'Accept-Encoding': 'identity', ...(token ? { Authorization: `Bearer ${token}` } : {}) },
    }).catch((error: unknown) => unreachable(hub, error, signal));
    if (answer.status >= 400) throw refusal(hub, wanted, answer);
    const to = answer.headers.get('location');
    const next = to && answer.status >= 300 ? new URL(to, address) : null;
    // A renamed repository is answered with an address of the same hub; the file's own place comes with its size.
    if (next && next.origin === new URL(hub.endpoint).origin && !answer.headers.has('x-linked-size')) {
      address = next.href;
      continue;
    }
    return factsOf(answer.headers, next?.href ?? address);
  }
  throw new HubRefusal(`${hub.endpoint} leads in circles for ${wanted.repo}.`, false);
}

/** The headers for a place that `askHub` found: the token only for the hub itself. */
export function headersFor(hub: HubAccess, address: string): Record<string, string> {
  const token = hub.token();
  return token && new URL(address).origin === new URL(hub.endpoint).origin ? { Authorization: `Bearer ${token}` } : {};
}

/** What an answer of 400 and above means, for a person. */
export function refusal(hub: HubAccess, { repo, file }: HubFile, answer: Response): HubRefusal {
  const { status, headers } = answer;
  const code = headers.get('x-error-code') ?? '';
  const link = repoPage(hub.endpoint, repo);
  const token = hub.token();
  const again = false;
  if (status === 401 && token && code !== 'GatedRepo') {
    const missing =
      code === 'RepoNotFound' ? `There is no ${repo} that this token may see, or the token is wrong.` : '';
    return new HubRefusal(missing || 'The hub does not accept the token. Set a valid one and try again.', again, {
      status,
    });
  }
  if (status === 403 || code === 'GatedRepo') {
    const first = `${repo} is given only to those who accept its licence: do so on its page,`;
    const then = token
      ? 'with the account that the token belongs to, then try again. A fine-grained token also needs the right to read gated repositories.'
      : 'then set a token of that account and try again.';
    return new HubRefusal(`${first} ${then}`, again, { link, status });
  }
  if (status === 401) {
    return new HubRefusal(`There is no ${repo} on the hub, or it needs a token. Set one, or check the name.`, again, {
      link,
      status,
    });
  }
  if (status === 404) {
    const what = code === 'RepoNotFound' ? `There is no ${repo} on the hub` : `There is no ${file} in ${repo}`;
    return new HubRefusal(`${what}. It may have been renamed: look on its page.`, again, { link, status });
  }
  const busy = status === 429 || status >= 500;
  const waitSeconds = Number(headers.get('retry-after')) || undefined;
  return new HubRefusal(
    status === 429 ? 'The hub asks to wait: too many requests.' : `The hub answered with ${status}.`,
    busy || status === 408,
    { status, ...(waitSeconds ? { waitSeconds } : {}) },
  );
}

/** A connection that did not come about, or broke. */
export function unreachable(hub: HubAccess, error: unknown, signal: AbortSignal): never {
  if (signal.aborted) throw signal.reason;
  if (error instanceof HubRefusal) throw error;
  const { cause, message } = error as Error & { cause?: { code?: string } };
  const why = cause?.code ?? message;
  throw new HubRefusal(`${new URL(hub.endpoint).host} cannot be reached (${why}). Is this machine online?`, true);
}

function factsOf(headers: Headers, address: string): HubFacts {
  const linked = headers.get('x-linked-size');
  const size = linked ?? headers.get('content-length');
  const etag = (headers.get('x-linked-etag') ?? headers.get('etag'))?.replace(/^W\//, '').replaceAll('"', '') ?? null;
  return {
    address,
    bytes: size === null || !/^\d+$/.test(size) ? null : Number(size),
    etag,
    sha256: etag && /^[0-9a-f]{64}$/.test(etag) ? etag : null,
    commit: headers.get('x-repo-commit'),
  };
}
