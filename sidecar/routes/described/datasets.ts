import { z } from 'zod';
import { changedCaptions } from '../../datasets/bulkCaptions.js';
import { captionChange } from '../../datasets/changeCaption.js';
import { datasetDetail, datasetFacts } from '../../datasets/facts.js';
import { trashEntry } from '../../datasets/trash.js';
import { announced, taken, uploadFacts } from '../../datasets/uploads/facts.js';
import { turnedUpright } from '../../datasets/upright.js';
import type { DescribedRoutes } from './described.js';

const said = z.looseObject({ message: z.string() });
const added = z.looseObject({ dataset: datasetDetail.nullable(), created: z.boolean(), ...taken.shape });

/** Datasets: pictures with captions of the same stem. */
export const datasets: DescribedRoutes = {
  'GET /datasets': { summary: 'List datasets', answers: { 200: z.array(datasetFacts) } },
  'POST /datasets': {
    summary: 'Make a dataset',
    more: 'Also with its files: a form with the field name and pictures, captions and archives after it; or application/zip, with ?name=. HEIC photos are kept as JPEG, under the same name with .jpg.',
    query: { name: 'The name, for an archive as the body.' },
    body: z.object({ name: z.string() }),
    answers: { 200: added, 201: z.union([datasetDetail, added]) },
  },
  'GET /datasets/:name': {
    summary: 'Read a dataset, what is wrong with its pictures, and what becomes of each in a training',
    query: { resolution: 'Pixels of the training; 512 otherwise.' },
    answers: {
      200: datasetDetail.extend({
        errors: z.array(z.string()),
        warnings: z.array(z.string()),
        alike: z.array(z.object({ files: z.array(z.string()), same: z.boolean() })),
      }),
    },
  },
  'DELETE /datasets/:name': {
    summary: 'Put a dataset away',
    more: 'Nothing is deleted: it is moved to .trash in the datasets folder.',
    answers: { 200: said.extend({ kept: z.string().nullable() }) },
  },
  'GET /datasets/:name/images/:file': {
    summary: 'A picture',
    query: {
      size: 'thumb: at most 256 pixels, as WebP.',
      revision: 'As in its facts: then it may be cached for ever.',
    },
    answers: { 200: { media: 'image/*', words: 'The picture as it is kept.' } },
  },
  'PUT /datasets/:name/images/:file': {
    summary: 'Save a picture',
    body: { media: 'application/octet-stream', words: 'PNG, JPEG, WebP or BMP.' },
    answers: { 200: z.looseObject({ created: z.boolean() }), 201: z.looseObject({ created: z.boolean() }) },
  },
  'DELETE /datasets/:name/images/:file': {
    summary: 'Put a picture and its caption away',
    answers: { 200: said.extend({ kept: z.string().nullable(), files: z.array(z.string()) }) },
  },
  'POST /datasets/:name/upright': {
    summary: 'Turn the pixels of pictures that are turned only by their metadata',
    more: 'The originals go to the trash.',
    answers: { 200: turnedUpright },
  },
  'PUT /datasets/:name/captions/:stem': {
    summary: 'Save the caption of a picture',
    body: { media: 'text/plain', words: 'The caption. An empty one removes the file.' },
    answers: { 200: z.looseObject({ outcome: z.string() }), 201: z.looseObject({ outcome: z.string() }) },
  },
  'GET /datasets/:name/captions': {
    summary: 'Read all captions, and how many pictures have each tag',
    answers: {
      200: z.object({
        captions: z.array(z.object({ file: z.string(), caption: z.string().nullable() })),
        tags: z.array(z.object({ tag: z.string(), count: z.number() })),
      }),
    },
  },
  'POST /datasets/:name/captions': {
    summary: 'Change all captions of a dataset',
    more: 'To undo it, put back the entry of the trash that the answer names.',
    body: captionChange,
    answers: { 200: changedCaptions },
  },
  'GET /datasets/:name/uploads': { summary: 'List incomplete uploads', answers: { 200: z.array(uploadFacts) } },
  'POST /datasets/:name/uploads': {
    summary: 'Announce an upload in parts',
    more: 'The same file continues where it broke off: arrived says from which byte.',
    body: announced,
    answers: { 200: uploadFacts, 201: uploadFacts },
  },
  'GET /datasets/:name/uploads/:id': { summary: 'Read an upload', answers: { 200: uploadFacts } },
  'PUT /datasets/:name/uploads/:id': {
    summary: 'Send a part of an upload',
    more: 'With Content-Range: bytes <first>-<last>/<size>, and Upload-CRC32 over the file up to the end of this part.',
    body: { media: 'application/octet-stream', words: 'At most 32 MB.' },
    answers: { 200: uploadFacts, 201: uploadFacts, 202: uploadFacts },
  },
  'DELETE /datasets/:name/uploads/:id': { summary: 'Cancel an upload', answers: { 200: said } },
  'PUT /datasets/:name/archives/:file': {
    summary: 'Unpack an archive of pictures and captions',
    body: { media: 'application/zip', words: 'A zip.' },
    answers: { 200: taken },
  },
  'GET /datasets/:name/trash': { summary: 'List what was put away', answers: { 200: z.array(trashEntry) } },
  'POST /datasets/:name/trash/:entry': {
    summary: 'Put it back',
    answers: { 200: said.extend({ kept: z.string().nullable(), files: z.array(z.string()) }) },
  },
};
