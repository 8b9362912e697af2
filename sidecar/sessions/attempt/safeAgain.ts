import { readAttempt } from '../../launchers/attemptFile.js';
import { isUnlocked } from '../../launchers/folderLock.js';
import type { LauncherId } from '../../launchers/launcher.js';
import { isThisNamespace } from '../../launchers/liveness.js';
import { controllerAnswers, nodeAnswers } from '../../launchers/slurm/commands.js';
import { refuseFurther } from '../../launchers/slurm/options.js';
import { slurm } from '../../launchers/slurm/slurm.js';
import { DOWN } from '../../launchers/slurm/submit.js';
import { Problem } from '../../problem.js';
import { wantsOf } from '../record/wants.js';
import type { Session } from '../status/session.js';
import type { Begin } from './plan.js';

/**
 * Refuses a start on a cluster that does not answer, with options that are not for a person to give, or while a node that is
 * cut off may still train in this folder. Throws a Problem.
 */
export async function refuseUnsafe(session: Session, launcher: LauncherId, begin: Begin): Promise<void> {
  const about = { about: { session: session.name } };
  if (launcher === 'slurm') {
    const wants = session.state && wantsOf(session.state);
    refuseFurther(wants?.further ?? []);
    if ((wants?.nodes ?? 1) > 1 && !mayUseNodes(session.trainer))
      throw new Problem('one_node', ONE_NODE, { field: 'cluster_nodes' });
    if (!(await controllerAnswers()))
      throw new Problem('no_cluster', `${DOWN} Nothing was submitted. Try again when it does.`, about);
  }
  if (begin.anyway) return;
  const node = await nodeInDoubt(session);
  if (node === null) return;
  const message = `The training may still run on ${node}, which is cut off: two would write into one folder. Start it once Slurm says that ${node} answers again; or, if you know that ${node} is switched off, press Resume anyway on its page, under Resume (in the API: "anyway": true).`;
  throw new Problem('node_in_doubt', message, about);
}

const ONE_NODE =
  'This trainer can’t train on several nodes at once: its own start over nodes hangs. Ask for one node, with several GPUs. A script of yours that uses torch.distributed can.';

/** Only scripts that set up their processes themselves. */
function mayUseNodes(trainer: string | null): boolean {
  return trainer === 'tracked' || (trainer?.startsWith('script/') ?? false);
}

/**
 * The node on which the last attempt may still run though nothing is heard of it; null where that is impossible. Its own
 * record is the proof; a kernel that is this one's knows its lock; an end that slurmd itself reported is one. Without any
 * answer from the cluster, silence decides, as between pods.
 */
async function nodeInDoubt({ folder, latest }: Session): Promise<string | null> {
  const record = readAttempt(folder);
  if (latest?.job?.launcher !== 'slurm' || record?.id !== latest.id || record.ended_at) return null;
  if (isThisNamespace(record) || isUnlocked(record, folder, Number.POSITIVE_INFINITY)) return null;
  const look = (await slurm.look([{ attempt: latest.id, folder, ref: latest.job }])).get(latest.id);
  if (look?.phase === 'ended' && look.how !== 'node lost') return null;
  if (look?.phase === 'unknown' && !look.forgotten) return null;
  const node = record.node ?? record.hostname;
  const isOver = look?.phase !== 'running' && look?.phase !== 'ending';
  return isOver && (await nodeAnswers(node)) ? null : node;
}
