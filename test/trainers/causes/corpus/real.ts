import { fixture } from '../../fixtures.js';
import { endedBy, failed, type Row, succeeded } from '../logs.js';

const real = (name: string, row: Omit<Row, 'name' | 'log'>): Row => ({
  name: `real: ${name}`,
  log: fixture(`failures/${name}.stderr.log`),
  ...row,
});

/** What sd-scripts printed when it was broken on purpose. */
export const realOnes: Row[] = [
  real('bad_out_finished', { code: 'nothing_left', again: 'repeats' }),
  real('bad_out_missingdir', { code: 'state_missing', says: /out1\/nope-state/, again: 'repeats' }),
  real('bad_out_noopt', { code: 'file_missing', says: /noopt\/optimizer\.bin/, again: 'repeats' }),
  real('bad_out_norand', { code: null, exit: succeeded }),
  real('bad_out_otherdim', { code: 'size_mismatch', says: /^The state folder/, again: 'repeats' }),
  real('badtoml', { code: 'dataset_config', says: /bogus_key/, again: 'repeats' }),
  real('broken_cache', { code: 'broken_cache', says: /Clear the caches/, again: 'repeats' }),
  real('hub_offline', { code: ['tokenizer_missing', 'hub_offline', 'hub_unreachable'], says: /not on this disk/ }),
  real('unknown_argument', { code: 'unknown_flags', says: /--bogus_flag=1/, again: 'repeats' }),
  real('nodata', { code: 'no_data', exit: succeeded, again: 'repeats' }),
  real('sig_child_SIGKILL', { code: 'killed', says: /RAM/, again: null }),
  real('sig_child_SIGKILL', { code: 'killed', exit: { ...failed, oomKills: 0 }, not: /RAM/ }),
  real('sig_group_SIGTERM', { code: 'ended_by_signal', exit: endedBy('SIGTERM'), again: 'by hand' }),
  real('sig_launcher_SIGTERM', { code: 'ended_by_signal', exit: endedBy('SIGTERM'), again: 'by hand' }),
];
