import { existsSync } from 'node:fs';

/** The values in an environment that nobody should read on a page, by the names of their variables. */
export function secretVariables(environment: NodeJS.ProcessEnv): string[] {
  return Object.entries(environment).flatMap(([name, value]) =>
    value && isSecretName(name) && isWorthHiding(value) ? [value] : [],
  );
}

/** `HF_TOKEN`, `AWS_SECRET_ACCESS_KEY`, `JUPYTER_PASSWORD`; not `HF_TOKEN_PATH`, not `TOKENIZERS_PARALLELISM`. */
export function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name);
}

const SECRET_NAME =
  /(?:^|_)(?:\w*TOKEN|API_?KEY|\w*SECRET|SECRET_\w*|\w*PASSWORD|PASSWD|PASSPHRASE|CREDENTIALS?|(?:ACCESS|PRIVATE|ACCOUNT|ENCRYPTION)_KEY(?:_ID)?|\w*COOKIE)$/i;

/** What is shorter is no secret, and stands in every other word of a page. */
export const SHORTEST_SECRET = 8;

/** Plain words and numbers ("training", "true", "86400") would be struck out of every page, and paths lead somewhere. */
export function isWorthHiding(value: string): boolean {
  if (value.length < SHORTEST_SECRET || /^\d{1,15}$/.test(value)) return false;
  if (value.length < 16 && /^(?:[a-z]+|[A-Z]+|[A-Z][a-z]+)$/.test(value)) return false;
  return !(value.startsWith('/') && existsSync(value));
}
