#!/usr/bin/env node
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { Script } from 'node:vm';

/**
 * Starts the built program. The build keeps what V8 made of its files (`<file>.code`), because compiling them is a sixth of
 * every start. Another version of V8, or other flags, take none of that and compile: it is a gain, never a need.
 * TRACKSIDE_KEEP_CODE=1 is how the build writes it.
 */
type Module = { exports: unknown };
type Run = (...parts: [unknown, NodeJS.Require, Module, string, string]) => void;

const modules = new Map<string, Module>();
const scripts = new Map<string, Script>();

keepHeapSmall();
if (process.env.TRACKSIDE_KEEP_CODE) process.once('exit', keepCode);
load(join(dirname(fileURLToPath(import.meta.url)), 'program.js'));

/** Limits the heap. Before anything large is loaded, which would make the space of new objects grow; and flags are part of compiled code. */
function keepHeapSmall(): void {
  // New objects get 2 MB rather than 32.
  setFlagsFromString('--semi-space-growth-factor=1');
  // The heap may grow by a quarter before a collection, not fourfold.
  setFlagsFromString('--heap-growing-percent=25');
  // A third of its pages is free otherwise, a piece in each.
  setFlagsFromString('--compact-on-every-full-gc');
}

/** As Node's own `require` does for a file of ours. */
function load(path: string): unknown {
  const known = modules.get(path);
  if (known) return known.exports;
  const module: Module = { exports: {} };
  modules.set(path, module);
  const text = `(function (exports, require, module, __filename, __dirname) {${readFileSync(path, 'latin1')}\n})`;
  const code = codeOf(path);
  const script = new Script(text, {
    // Kept with the code, which may lie in another folder by then.
    filename: basename(path),
    ...(existsSync(code) ? { cachedData: readFileSync(code) } : {}),
  });
  scripts.set(path, script);
  const run: Run = script.runInThisContext();
  run(module.exports, requireFor(path), module, path, dirname(path));
  return module.exports;
}

function requireFor(path: string): NodeJS.Require {
  const outside = createRequire(path);
  const inside = (name: string) => (name.startsWith('./') ? load(join(dirname(path), name)) : outside(name));
  return Object.assign(inside, outside);
}

function keepCode(): void {
  for (const [path, script] of scripts) writeFileSync(codeOf(path), script.createCachedData());
}

function codeOf(path: string): string {
  return `${path}.code`;
}
