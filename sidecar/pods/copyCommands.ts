import { z } from 'zod';
import { shellWord } from '../processes/shellWord.js';
import { podVariable } from './podEnvironment.js';

/** Lines for a terminal on the person's own computer, and what has to be known or changed before they work. */
export const copying = z.object({
  /** How the pod is reached by ssh; null where its variables don't tell. */
  ssh: z.object({ login: z.string(), port: z.number() }).nullable(),
  commands: z.array(
    z.object({
      tool: z.enum(['rsync', 'scp', 'runpodctl']),
      of: z.enum(['session', 'final checkpoint']),
      command: z.string(),
    }),
  ),
  hint: z.string().nullable(),
});
export type CopyCommands = z.infer<typeof copying>;

/**
 * Copies a session's folder, and its finished LoRA, to the person's computer. RunPod maps the pod's port 22 to
 * `RUNPOD_TCP_PORT_22` at `RUNPOD_PUBLIC_IP`, if that port is exposed; its own ssh proxy copies no files, `runpodctl send`
 * does (docs.runpod.io/pods/storage/transfer-files). Vast maps it to `VAST_TCP_PORT_22` at `PUBLIC_IPADDR`
 * (docs.vast.ai/guides/instances/connect/networking).
 *
 * @param folder absolute path of the session
 * @param final absolute path of its final weights; null where there are none
 */
export function copyCommands(
  folder: string,
  final: string | null,
  environment: NodeJS.ProcessEnv,
  firstProcess?: string,
): CopyCommands {
  const found = (name: string) => podVariable(name, environment, firstProcess)?.trim() || null;
  const runpod = found('RUNPOD_POD_ID') !== null;
  const ip = found(runpod ? 'RUNPOD_PUBLIC_IP' : 'PUBLIC_IPADDR');
  const port = Number(found(runpod ? 'RUNPOD_TCP_PORT_22' : 'VAST_TCP_PORT_22'));
  const ssh = ip && /^[\w.:-]+$/.test(ip) && port > 0 && port < 65_536 ? { login: `root@${ip}`, port } : null;
  if (!ssh && runpod) return { ssh, commands: bySending(folder, final), hint: NO_PORT };
  return { ssh, commands: bySsh(folder, final, ssh), hint: ssh ? null : NO_LOGIN };
}

const NO_LOGIN = 'Put your ssh login in the place of user@host.';
const NO_PORT =
  'This pod has no TCP port for ssh, so scp can’t reach it. Run the line on the pod: it prints what to type on your computer. Or expose TCP port 22 in the pod’s settings at RunPod.';

function bySsh(folder: string, final: string | null, ssh: CopyCommands['ssh']): CopyCommands['commands'] {
  const { login, port } = ssh ?? { login: 'user@host', port: 22 };
  const [rsh, flag] = port === 22 ? ['', ''] : [`-e 'ssh -p ${port}' `, `-P ${port} `];
  // -s: the other side's shell reads nothing of the path.
  const whole = `rsync -avs --partial ${rsh}${shellWord(`${login}:${folder}`)} .`;
  return [
    { tool: 'rsync', of: 'session', command: whole },
    ...(final === null
      ? []
      : [{ tool: 'scp', of: 'final checkpoint', command: `scp ${flag}${shellWord(`${login}:${final}`)} .` } as const]),
  ];
}

function bySending(folder: string, final: string | null): CopyCommands['commands'] {
  const send = (of: CopyCommands['commands'][number]['of'], path: string) =>
    ({ tool: 'runpodctl', of, command: `runpodctl send ${shellWord(path)}` }) as const;
  return [send('session', folder), ...(final === null ? [] : [send('final checkpoint', final)])];
}
