import { existsSync } from 'node:fs';

/** The secret values of an environment, recognised by the names of their variables. */
export function secretVariables(environment: NodeJS.ProcessEnv): string[] {
  return Object.entries(environment).flatMap(([name, value]) =>
    value && SECRET_NAME.test(name.slice(-LONGEST_NAME)) && isWorthHiding(value) ? [value] : [],
  );
}

/** A name of the body of a request may be megabytes long. */
const LONGEST_NAME = 200;

/** `HF_TOKEN`, `AWS_SECRET_ACCESS_KEY`, `JUPYTER_PASSWORD`; not `HF_TOKEN_PATH`, not `TOKENIZERS_PARALLELISM`. */
// short: the end of a name
const SECRET_NAME =
  /(?:^|_)(?:\w*TOKEN|API_?KEY|\w*SECRET|SECRET_\w*|\w*PASSWORD|PASSWD|PASSPHRASE|CREDENTIALS?|(?:ACCESS|PRIVATE|ACCOUNT|ENCRYPTION)_KEY(?:_ID)?|\w*COOKIE)$/i;

/** Shorter values are no secrets, and occur all over a page. */
export const SHORTEST_SECRET = 8;

/** Spares plain words and numbers ("training", "true", "86400"), which occur on every page, and paths that exist. */
export function isWorthHiding(value: string): boolean {
  if (value.length < SHORTEST_SECRET || /^\d{1,15}$/.test(value)) return false;
  if (value.length < 16 && /^(?:[a-z]+|[A-Z]+|[A-Z][a-z]+)$/.test(value)) return false;
  return !(value.startsWith('/') && existsSync(value));
}
