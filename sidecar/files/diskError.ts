/** By number, as Node has no names for some: an exhausted quota arrives as "Unknown system error -122" (Linux). */
const CODES: Record<number, string> = {
  1: 'EPERM',
  5: 'EIO',
  6: 'ENXIO',
  13: 'EACCES',
  28: 'ENOSPC',
  30: 'EROFS',
  116: 'ESTALE',
  122: 'EDQUOT',
};

/** The code of an error of a full, read-only or broken disk; null for every other error. */
export function diskErrorCode(error: unknown): string | null {
  const { errno, code } = (error ?? {}) as NodeJS.ErrnoException;
  return CODES[Math.abs(errno ?? 0)] ?? (code && Object.values(CODES).includes(code) ? code : null);
}
