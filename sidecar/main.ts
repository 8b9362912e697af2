import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { addCompletion } from './commands/client/completion.js';
import { EXIT } from './commands/client/exitCodes.js';
import { addClientVerbs } from './commands/client/verbs.js';
import { readTextNow } from './files/regularFile.js';
import { restoreArenas } from './memory.js';
import { Problem } from './problem.js';

// Keeps the token out of the processes that we start.
const environment = { ...process.env };
delete process.env.TRACKSIDE_TOKEN;
restoreArenas();

const program = new Command('trackside')
  .description(
    'A sidecar for LoRA training: start, watch, stop and resume trainings from any browser, and never lose one.',
  )
  .version(versionOf(), '--version', 'Print the version.')
  .showHelpAfterError()
  .exitOverride((ended) => process.exit(ended.exitCode === 0 ? EXIT.done : EXIT.usage));

program
  .command('serve', { isDefault: true })
  .description('Serve the pages until Ctrl-C. Trainings continue without it.')
  .option('--host <address>', 'address to listen on (TRACKSIDE_HOST; default 127.0.0.1)')
  .option('--port <number>', 'port, 0 for any free one (TRACKSIDE_PORT; default 7860)')
  .option('--outputs <folder>', 'where sessions are kept (TRACKSIDE_OUTPUTS; default outputs)')
  .option('--datasets <folder>', 'where pictures and captions are kept (TRACKSIDE_DATASETS; default datasets)')
  .option('--models <folder>', 'where model files are kept (TRACKSIDE_MODELS; default models)')
  .option('--sd-scripts <folder>', 'the checkout of sd-scripts (TRACKSIDE_SD_SCRIPTS; default: the usual places)')
  .option('--python <command>', 'the Python that trains (TRACKSIDE_PYTHON; default: that of the checkout, or python3)')
  .option(
    '--launcher <where>',
    'local: trainings run on this machine; slurm: on its Slurm cluster; auto: each as its form says, where there is a cluster (TRACKSIDE_LAUNCHER; default auto)',
  )
  .option('--trainers <folder>', 'a folder of your own training scripts (TRACKSIDE_TRAINERS; see trackside add)')
  .option('--private <folder>', 'where the token and secrets are kept (TRACKSIDE_PRIVATE; default ~/.config/trackside)')
  .option('--no-login', 'require no token; only on this machine’s own address (TRACKSIDE_NO_LOGIN=1)')
  .option('--allowed-hosts <names>', 'more host names to answer to, separated by commas (TRACKSIDE_ALLOWED_HOSTS)')
  .option('--log <level>', 'lowest level to log on stderr: debug, info, warn or error (TRACKSIDE_LOG; default info)')
  .option(
    '--auto-resume-delays <seconds>',
    'waits before automatic resumes, separated by commas (TRACKSIDE_AUTO_RESUME_DELAYS; default 10,20,40)',
  )
  .option(
    '--retention-days <number>',
    'days until the nightly cleanup removes what a training left behind, 0 for never (TRAINING_RETENTION_DAYS; default 30)',
  )
  .option('--purge-hour <hour>', 'the hour of the nightly cleanup (TRACKSIDE_PURGE_HOUR; default 3)')
  .option(
    '--exact-pause <switch>',
    'start sd-scripts so that it pauses after any step (TRACKSIDE_EXACT_PAUSE; default on)',
  )
  .option(
    '--stall-scale <number>',
    'factor for the time limits of “no progress”; 2 for slow disks (TRACKSIDE_STALL_SCALE; default 1)',
  )
  .action(async (flags: Record<string, unknown>) => {
    const [{ serve }, { readSettings }] = await Promise.all([import('./commands/serve.js'), import('./settings.js')]);
    await serve(readSettings(flags, environment));
  });

program
  .command('describe <script>')
  .description('Print every argument of a Python script with type, default, choices and help, as JSON.')
  .option('--python <command>', 'the Python to ask (TRACKSIDE_PYTHON; default python3)')
  .action(async (script: string, flags: Record<string, string>) => {
    const [{ describeScript }, { readSettings }] = await Promise.all([
      import('./commands/describe.js'),
      import('./settings.js'),
    ]);
    await describeScript(script, readSettings(flags, environment));
  });

program
  .command('add <script>')
  .description('Make a Python script with an argparse parser, or with @trackside.trainer, one of the trainers.')
  .option('-m, --module', 'the name of an installed module, as in python -m')
  .option('--python <command>', 'the Python that runs it (default: TRACKSIDE_PYTHON)')
  .option('--private <folder>', 'where the list is kept (TRACKSIDE_PRIVATE; default ~/.config/trackside)')
  .action(async (script: string, flags: Record<string, unknown>) => {
    const [{ addTrainer }, { readSettings }] = await Promise.all([
      import('./commands/add.js'),
      import('./settings.js'),
    ]);
    await addTrainer(script, flags.module === true, readSettings(flags, environment), flags.python !== undefined);
  });

program
  .command('remove <script>')
  .description('Take a script off the list of trainers. The script and its sessions stay.')
  .option('--private <folder>', 'where the list is kept (TRACKSIDE_PRIVATE; default ~/.config/trackside)')
  .action(async (script: string, flags: Record<string, unknown>) => {
    const [{ removeTrainer }, { readSettings }] = await Promise.all([
      import('./commands/add.js'),
      import('./settings.js'),
    ]);
    await removeTrainer(script, readSettings(flags, environment));
  });

// A twentieth of the start of a server, which needs none of them.
if (process.argv[2] !== 'serve') {
  addClientVerbs(program, environment);
  addCompletion(program, environment);
}

/** From the package.json two folders above the build. */
function versionOf(): string {
  const path = fileURLToPath(new URL('../../package.json', import.meta.url));
  return (JSON.parse(readTextNow(path, 1024 * 1024)) as { version: string }).version;
}

program.parseAsync().catch((error: unknown) => {
  console.error(error instanceof Problem ? `trackside: ${error.message}` : error);
  process.exit(1);
});
