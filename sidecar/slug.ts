/**
 * A name for a folder out of what a person typed: `My Cat!` → `my-cat`. Letters and digits of any script stay; '' when
 * none is left. At most 60 characters.
 */
export function slug(typed: string): string {
  const words = typed
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}_]+/gu, '-')
    .replace(/^[-_]+/, '');
  return Array.from(words).slice(0, 60).join('').replace(/-+$/, '');
}
