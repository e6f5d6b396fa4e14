// Cost of registering a picture with its details, and of finding one by them among a hundred thousand or a million pictures.
//
//   npm run bench details -- --photos FOLDER --hashes FOLDER [--images N] [--queries Q] [--check N] [--json] [--record]
//
// The index has 16 rows a picture: real ORB descriptors (corpus `descriptors` of bench/search), and photographs as the service registers them.
// Half of the queries are edits of those photographs and must be found. The others are edits of unregistered photographs. The service's own code
// searches. Times are processor time of all threads, so other work on the machine counts little. Queries run one after the other, once each, after
// a warm-up. For --check of the needles, the index is compared with a loop over all rows.
//
// The status is 1 when an answer was wrong.

import { parseArgs } from 'node:util'
import { edited, lookups, registering } from './details/ask.mjs'
import { wrongAnswers } from './details/check.mjs'
import { storeBytes } from './details/store.mjs'
import { World } from './details/world.mjs'
import { goal, publish } from './http/record.mjs'
import { photosOf } from './robustness/photos.mjs'

const { values: args } = parseArgs({
  options: {
    photos: { type: 'string' },
    hashes: { type: 'string' },
    images: { type: 'string', default: '100000' },
    queries: { type: 'string', default: '60' },
    check: { type: 'string', default: '20' },
    json: { type: 'boolean', default: false },
    record: { type: 'boolean', default: false },
  },
})
if (args.photos === undefined || args.hashes === undefined) {
  console.error('usage: npm run bench details -- --photos FOLDER --hashes FOLDER [--images N] [--queries Q]')
  process.exit(2)
}
const [images, queries, checked] = [args.images, args.queries, args.check].map(Number)

const SEARCH_GOALS_MS = new Map([
  [100_000, 80],
  [1_000_000, 400],
])

const photos = photosOf(args.photos, 'test', Number.POSITIVE_INFINITY)
const [known, foreign] = [photos.slice(0, queries / 2), photos.slice(queries / 2, queries)]
const world = new World(images, args.hashes)
const registration = await registering(world, known)
const { memoryBytes, parts } = world.memory()
const asked = await edited([...known, ...foreign])
const { times, misses, falsely } = await lookups(world, asked)
const wrong = wrongAnswers(world, asked, checked) + falsely
const bytesInStore = await storeBytes()

const searchGoalMs = SEARCH_GOALS_MS.get(images)
const goals = [
  goal('features of a query, median', times.featuresMs.p50, 40, ' ms'),
  ...(searchGoalMs === undefined
    ? []
    : [goal('searching, voting and verifying, median', times.allMs.p50, searchGoalMs, ' ms')]),
  goal('registering: details found and rows chosen, median', registration.registerMs + registration.keepMs, 150, ' ms'),
  goal('memory of an api, an image', memoryBytes, 2500, ' bytes'),
  goal('store, an image', bytesInStore, 6000, ' bytes'),
]
const lines = Object.entries(times).map(([what, { p50, mean, p90 }]) => ({
  'of a query': what.replace(/Ms$/, ', ms'),
  median: p50.toFixed(1),
  mean: mean.toFixed(1),
  p90: p90.toFixed(1),
}))
const answers = [
  {
    pictures: images,
    segments: parts,
    queries: asked.length,
    'registered, but not found': `${misses} of ${known.length}`,
    'found falsely': falsely,
    'needles checked': 2 * checked,
    wrong,
  },
]
publish(
  'details',
  {
    rows: 16 * images,
    images,
    ...registration,
    times,
    memoryBytes,
    bytesInStore,
    queries: asked.length,
    misses,
    falsely,
    wrong,
  },
  [
    { title: 'Goals', lines: goals },
    { title: 'Processor time of a query', lines },
    { title: 'Answers', lines: answers },
  ],
  args,
)
