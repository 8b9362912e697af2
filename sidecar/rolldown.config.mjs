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
  output: { format: 'esm', entryFileNames: '[name].js', sourcemap: true },
};
