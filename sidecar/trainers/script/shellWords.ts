/** The words of a line as a shell reads them: spaces divide, quotes and backslashes hold together. A quote that is left open ends with the line. */
export function shellWords(line: string): string[] {
  const words: string[] = [];
  for (const [word] of line.matchAll(/(?:"(?:\\.|[^"\\])*"?|'[^']*'?|\\.|[^\s"'\\]|\\$)+/gs)) {
    words.push(
      word.replace(
        /"((?:\\.|[^"\\])*)"?|'([^']*)'?|\\(.|$)/gs,
        (_, double?: string, single?: string, escaped?: string) =>
          double !== undefined ? double.replace(/\\(["\\])/g, '$1') : (single ?? escaped ?? ''),
      ),
    );
  }
  return words;
}
