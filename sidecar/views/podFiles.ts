import type { CopyCommands } from '../pods/copyCommands.js';
import type { FileFacts } from '../sessions/products/files.js';
import { bytes } from './formatting.js';

/** As `GET /sessions/:name/files` answers. */
export type PodFiles = { files: FileFacts[] } & CopyCommands;

export type PodFilesView = ReturnType<typeof podFilesView>;

/** Where the files of a session lie on the pod, and how they come from there. */
export function podFilesView({ files, commands, hint }: PodFiles) {
  return {
    files: files.map(({ what, path, bytes: size, there }) => ({
      name: NAMES[what],
      path,
      size: there ? (size === null ? 'being counted' : bytes(size)) : 'not there',
    })),
    commands: commands.map(({ of, tool, command }) => ({
      name: of === 'session' ? `Everything, with ${tool}` : `The final checkpoint, with ${tool}`,
      command,
    })),
    hint,
  };
}

const NAMES: Record<FileFacts['what'], string> = {
  session: 'Session',
  'final checkpoint': 'Final checkpoint',
  dataset: 'Dataset',
  log: 'Log',
  settings: 'Settings',
  script: 'Script',
};
