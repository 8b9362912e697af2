/**
 * Makes a folder name of typed text: `My Cat!` → `my-cat`. Keeps letters and digits of any script; '' if none is left. At
 * most 60 characters and 150 bytes, which leaves room for the endings of checkpoints and temporary names in the 255 bytes of
 * file systems.
 */
export function slug(typed: string): string {
  const words = typed
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}_]+/gu, '-')
    .replace(/^[-_]+/, '');
  let cut = '';
  for (const letter of Array.from(words).slice(0, 60)) {
    if (Buffer.byteLength(cut + letter) > 150) break;
    cut += letter;
  }
  return cut.replace(/-+$/, '');
}
