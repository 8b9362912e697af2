/* The table of samples as values, of this page or of another version's. */

/** @typedef {{ href: string, label: string, prompt: string, column: number, row: number, seed: string, lost: boolean, name: string }} Sample */

/** Rows of steps, newest first; in each a place for every prompt. @param {HTMLTableElement} of @returns {(Sample | null)[][]} */
export function readTable(of) {
  const prompts = [...(of.tHead?.rows[0]?.cells ?? [])].slice(1).map((cell) => cell.textContent?.trim() ?? '');
  return [...(of.tBodies[0]?.rows ?? [])].map((row, at) =>
    [...row.cells].slice(1).map((cell, column) => {
      const link = cell.querySelector('a');
      if (!link) return null;
      const { seed = '', name = '' } = link.dataset;
      const label = row.cells[0]?.querySelector('b')?.textContent ?? '';
      const lost = link.hasAttribute('data-lost');
      return { href: link.href, label, prompt: prompts[column] ?? '', column, row: at, seed, lost, name };
    }),
  );
}
