import { z } from 'zod';
import type { DatasetFacts, DatasetImage } from '../../datasets/facts.js';
import type { TrashEntry } from '../../datasets/trash.js';
import { taken, type UploadFacts } from '../../datasets/uploads/facts.js';
import { captionChange } from '../captions.js';
import { announced } from '../uploads.js';
import type { DescribedRoutes } from './described.js';

const dataset = z
  .looseObject({
    name: z.string(),
    path: z.string(),
    images: z.number(),
    captions: z.number(),
    cover: z.string().nullable(),
    modified_at: z.string(),
  })
  .meta({ id: 'Dataset' }) satisfies z.ZodType<DatasetFacts>;

const image = z
  .looseObject({
    file: z.string(),
    stem: z.string(),
    bytes: z.number(),
    width: z.number().nullable(),
    height: z.number().nullable(),
    caption: z.string().nullable(),
    problem: z.string().nullable(),
    revision: z.string(),
  })
  .meta({ id: 'Picture' }) satisfies z.ZodType<DatasetImage>;

const detail = dataset.extend({ files: z.array(image), orphan_captions: z.array(z.string()) }).meta({
  id: 'DatasetDetail',
});

const upload = z
  .looseObject({
    id: z.string(),
    dataset: z.string(),
    file: z.string(),
    bytes: z.number(),
    arrived: z.number(),
    crc32: z.string(),
    state: z.enum(['arriving', 'taking', 'taken', 'refused']),
    unpacked: z.object({ done: z.number(), total: z.number() }).nullable(),
    taken: taken.nullable(),
    problem: z.looseObject({ code: z.string(), message: z.string() }).nullable(),
    created_at: z.string(),
  })
  .meta({ id: 'Upload' }) satisfies z.ZodType<UploadFacts>;

const trashEntry = z
  .looseObject({ entry: z.string(), put_away_at: z.string(), files: z.array(z.string()), bytes: z.number() })
  .meta({ id: 'TrashEntry' }) satisfies z.ZodType<TrashEntry>;

const said = z.looseObject({ message: z.string() });
const added = z.looseObject({ dataset: detail.nullable(), created: z.boolean(), ...taken.shape });

/** Datasets: pictures with captions of the same stem. */
export const datasets: DescribedRoutes = {
  'GET /datasets': { summary: 'List datasets', answers: { 200: z.array(dataset) } },
  'POST /datasets': {
    summary: 'Make a dataset',
    more: 'Also with its files: a form with the field name and pictures, captions and archives after it; or application/zip, with ?name=. HEIC photos are kept as JPEG, under the same name with .jpg.',
    query: { name: 'The name, for an archive as the body.' },
    body: z.object({ name: z.string() }),
    answers: { 200: added, 201: z.union([detail, added]) },
  },
  'GET /datasets/:name': {
    summary: 'Read a dataset, what is wrong with its pictures, and what becomes of each in a training',
    query: { resolution: 'Pixels of the training; 512 otherwise.' },
    answers: {
      200: detail.extend({
        errors: z.array(z.string()),
        warnings: z.array(z.string()),
        alike: z.array(z.object({ files: z.array(z.string()), same: z.boolean() })),
      }),
    },
  },
  'DELETE /datasets/:name': {
    summary: 'Put a dataset away',
    more: 'Nothing is deleted: it is moved into .trash of the datasets folder.',
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
    more: 'To put back the entry of the trash that the answer names undoes it.',
    body: captionChange,
    answers: {
      200: z.object({
        changed: z.number(),
        removed: z.number(),
        entry: z.string().nullable(),
        skipped: z.array(z.string()),
      }),
    },
  },
  'GET /datasets/:name/uploads': { summary: 'List uploads that are not whole', answers: { 200: z.array(upload) } },
  'POST /datasets/:name/uploads': {
    summary: 'Announce an upload in parts',
    more: 'The same file goes on where it broke off: arrived says from which byte.',
    body: announced,
    answers: { 200: upload, 201: upload },
  },
  'GET /datasets/:name/uploads/:id': { summary: 'Read an upload', answers: { 200: upload } },
  'PUT /datasets/:name/uploads/:id': {
    summary: 'Send a part of an upload',
    more: 'With Content-Range: bytes <first>-<last>/<size>, and Upload-CRC32 over the file up to the end of this part.',
    body: { media: 'application/octet-stream', words: 'At most 32 MB.' },
    answers: { 200: upload, 201: upload, 202: upload },
  },
  'DELETE /datasets/:name/uploads/:id': { summary: 'Give an upload up', answers: { 200: said } },
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
