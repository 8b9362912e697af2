/**
 * The program as a few files: Node loads them twice as fast as the 600 that they are made of. Libraries go in, besides sharp
 * and libheif, which are machine code, and whose licence (LGPL) asks that others can be put in their place. The decoder of
 * HEIC photos is a program of its own. Types are checked by `npm run check`.
 */
export default {
  input: ['sidecar/main.ts', 'sidecar/datasets/heic/decodeHeic.ts'],
  platform: 'node',
  external: ['sharp', /^libheif-js\//],
  transform: { target: 'node20.19' },
  // A library that is missing ends the build, not the program that is built.
  onLog: (level, log, tell) => tell(log.code === 'UNRESOLVED_IMPORT' ? 'error' : level, log),
  output: {
    format: 'esm',
    entryFileNames: '[name].js',
    sourcemap: true,
    // Node keeps the text of what it runs, with two bytes for each character once one is beyond Latin-1: 4 MB, measured.
    // Lines and names stay, for whoever reads an error.
    comments: { legal: true, annotation: false, jsdoc: false },
    minify: { compress: false, mangle: false, codegen: { asciiOnly: true, removeWhitespace: false } },
  },
};
