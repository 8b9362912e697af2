/**
 * The program as a few files: Node loads them twice as fast as the 600 that they are made of. Libraries go in, besides sharp,
 * which is machine code. Types are checked by `npm run check`.
 */
export default {
  input: 'sidecar/main.ts',
  platform: 'node',
  external: ['sharp'],
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
