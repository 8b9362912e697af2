import { Problem } from '../problem.js';

/** The hub, and the token for it, which is read anew each time: it may be set while a download waits. */
export type HubAccess = { endpoint: string; token(): string | null };

/** One file of a repository. */
export type HubFile = { repo: string; file: string; revision: string };

/** The hub's facts about a file before its download. */
export type HubFacts = {
  /** The address of its bytes: often another server, which must not see the token. */
  address: string;
  /** Null if the hub does not say. */
  bytes: number | null;
  /** Changes with the content. */
  etag: string | null;
  /** The ETag of a large file, which is the SHA-256 of its content; null for small ones. */
  sha256: string | null;
  commit: string | null;
};

/**
 * Why the hub did not give a file. `again`: worth another try; `patient`: any number of tries. `link`: the page where people
 * can do something about it.
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

/** The hub, or the mirror in `HF_ENDPOINT`, which people give without its `https://`. */
export function hubEndpoint(environment = process.env): string {
  const typed = (environment.HF_ENDPOINT || 'https://huggingface.co').trim().replace(/(?<!\/)\/+$/, '');
  return /^https?:\/\//.test(typed) ? typed : `https://${typed}`;
}

const NAME = /^[A-Za-z0-9][\w.-]{0,95}$/;

/** Checks a typed `owner/name`. Throws a Problem. */
export function repoName(repo: string): string {
  const names = repo.trim().split('/');
  if (names.length !== 2 || !names.every((name) => NAME.test(name) && !name.includes('..'))) {
    const message = `“${repo}” is not a repository. A repository has two parts, as in black-forest-labs/FLUX.1-dev.`;
    throw new Problem('bad_repository', message, { field: 'repo' });
  }
  return names.join('/');
}

/** Checks a typed file of a repository. Throws a Problem that names the field. */
export function hubFile(repo: string, file: string, revision = 'main'): HubFile {
  const name = repoName(repo);
  const parts = file.trim().split('/');
  if (file.length > 400 || !parts.every((part) => NAME.test(part) && !part.includes('..'))) {
    const message = `“${file}” is not a file in a repository, such as split_files/vae/ae.safetensors.`;
    throw new Problem('bad_file', message, { field: 'file' });
  }
  return { repo: name, file: parts.join('/'), revision };
}

/** The page of a repository, where people read and accept a licence. */
export function repoPage(endpoint: string, repo: string): string {
  return `${endpoint}/${repo}`;
}

/**
 * Reads a file's facts without downloading it: `HEAD {endpoint}/{repo}/resolve/{revision}/{file}`, with the headers
 * X-Linked-Size, X-Linked-ETag and X-Repo-Commit (huggingface_hub file_download.py `get_hf_file_metadata`). Throws a
 * HubRefusal.
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
    // A renamed repository redirects within the hub; the redirect to the file itself has its size.
    if (next && next.origin === new URL(hub.endpoint).origin && !answer.headers.has('x-linked-size')) {
      address = next.href;
      continue;
    }
    return factsOf(answer.headers, next?.href ?? address);
  }
  throw new HubRefusal(`${hub.endpoint} redirects in circles for ${wanted.repo}.`, false);
}

/** The headers for an address from `askHub`: only the hub itself gets the token. */
export function headersFor(hub: HubAccess, address: string): Record<string, string> {
  const token = hub.token();
  return token && new URL(address).origin === new URL(hub.endpoint).origin ? { Authorization: `Bearer ${token}` } : {};
}

/** Explains an answer of 400 and above to people. */
export function refusal(hub: HubAccess, { repo, file }: HubFile, answer: Response): HubRefusal {
  const { status, headers } = answer;
  const code = headers.get('x-error-code') ?? '';
  const link = repoPage(hub.endpoint, repo);
  const token = hub.token();
  const final = (message: string) => new HubRefusal(message, false, { link, status });
  if (status === 401 && token && code !== 'GatedRepo') {
    const missing = `The hub has no ${repo} that this token may see, or the token is wrong.`;
    const wrong = 'The hub does not accept the token. Set a valid one and try again.';
    return new HubRefusal(code === 'RepoNotFound' ? missing : wrong, false, { status });
  }
  if (status === 403 || code === 'GatedRepo') {
    const first = `To download ${repo}, accept its licence on its page`;
    const then = token
      ? 'with the account of your token, then try again. A fine-grained token also needs permission to read gated repositories.'
      : 'and set a token of your account, then try again.';
    return final(`${first} ${then}`);
  }
  if (status === 401) return final(`The hub has no ${repo}, or it needs a token. Check the name, or set a token.`);
  if (status === 404) {
    const what = code === 'RepoNotFound' ? `The hub has no ${repo}` : `There is no ${file} in ${repo}`;
    return final(`${what}. It may have been renamed: check its page.`);
  }
  const busy = status === 429 || status >= 500;
  const waitSeconds = Number(headers.get('retry-after')) || undefined;
  const message = status === 429 ? 'The hub is limiting requests.' : `The hub answered with ${status}.`;
  return new HubRefusal(message, busy || status === 408, { status, ...(waitSeconds ? { waitSeconds } : {}) });
}

/** Throws for a connection that failed or broke. */
export function unreachable(hub: HubAccess, error: unknown, signal: AbortSignal): never {
  if (signal.aborted) throw signal.reason;
  if (error instanceof HubRefusal) throw error;
  const { cause, message } = error as Error & { cause?: { code?: string } };
  const why = cause?.code ?? message;
  throw new HubRefusal(`Can't reach ${new URL(hub.endpoint).host} (${why}). Is this machine online?`, true);
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
