/**
 * The program as a few files: Node loads them twice as fast as the 600 that they are made of. Libraries go in, besides sharp
 * and libheif, which are machine code, and whose licence (LGPL) asks that others can be put in their place. Types are checked
 * by `npm run check`.
 */
const common = {
  platform: 'node',
  external: ['sharp', /^libheif-js\//],
  transform: { target: 'node20.19' },
  // A library that is missing ends the build, not the program that is built.
  onLog: (level, log, tell) => tell(log.code === 'UNRESOLVED_IMPORT' ? 'error' : level, log),
};

const output = {
  sourcemap: true,
  // Node keeps the text of what it runs, with two bytes for each character once one is beyond Latin-1: 4 MB, measured.
  // Lines and names stay, for whoever reads an error.
  comments: { legal: true, annotation: false, jsdoc: false },
  minify: { compress: false, mangle: false, codegen: { asciiOnly: true, removeWhitespace: false } },
};

/** `main.js` loads `program.js` with what the build kept of its compiled code (load.ts): there is some of scripts, none of modules. */
const program = {
  ...common,
  input: { main: 'sidecar/load.ts', program: 'sidecar/main.ts' },
  output: { ...output, format: 'cjs', dynamicImportInCjs: false, entryFileNames: '[name].js' },
  plugins: [
    {
      name: 'say-that-these-are-scripts',
      generateBundle() {
        this.emitFile({ type: 'asset', fileName: 'package.json', source: '{ "type": "commonjs" }\n' });
      },
    },
  ],
};

/** The decoder of HEIC photos is a program of its own, and its library a module. */
const decoder = {
  ...common,
  input: 'sidecar/datasets/heic/decodeHeic.ts',
  output: { ...output, format: 'esm', entryFileNames: '[name].mjs' },
};

export default [program, decoder];
