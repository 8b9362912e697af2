import type { Hub } from './live/hub.js';
import { createHub } from './live/hub.js';
import { runCommand } from './processes/run.js';
import { type AutoResume, createAutoResume } from './sessions/autoResume.js';
import { type Outputs, openOutputs } from './sessions/outputs.js';
import { createStopping, type Stopping } from './sessions/stop.js';
import type { Settings } from './settings.js';
import type { Argument } from './trainers/arguments.js';
import { describeArguments } from './trainers/describe.js';
import type { Trainer } from './trainers/trainer.js';
import { type Assets, loadAssets } from './views/assets.js';
import { createViews, type Views } from './views/pages.js';

/** Everything a route may need, made once. */
export type Trackside = {
  settings: Settings;
  hub: Hub;
  outputs: Outputs;
  stopping: Stopping;
  autoResume: AutoResume;
  views: Views;
  assets: Assets;
  /** Every argument of a trainer's own parser. */
  describe(trainer: Trainer): Promise<Argument[]>;
};

/** Puts the rooms together; nothing is read or watched yet (see `outputs.open`). */
export function createTrackside(settings: Settings): Trackside {
  const hub = createHub();
  const outputs = openOutputs({ root: settings.outputs, hub });
  const assets = loadAssets(settings.templates);
  const development = Boolean(process.env.TRACKSIDE_DEVELOPMENT);
  const views = createViews({ templates: settings.templates, assets, development });
  const stopping = createStopping(outputs);
  return {
    settings,
    hub,
    outputs,
    stopping,
    autoResume: createAutoResume({ settings, outputs, stopping, hub }),
    views,
    assets,
    describe: (trainer) =>
      describeArguments(trainer, { bridge: settings.bridge, python: settings.python, run: runCommand }),
  };
}
