// What does a query by picture cost the api, and what does it find, among view sets of photographs?
//
//   npm run bench picture -- --rows N[,N] --photos FOLDER --cache FOLDER [--frontier] [--check N] [--limit N] [--every N] [--json] [--record]
//
// One line for each size. The registry has view sets of crops of photographs (large registries have each crop in all eight orientations), and
// registered photographs. The queries are edits of registered and of unregistered photographs. The service's own matcher answers. Times are processor
// time of the api for one query, in all threads, without hashing. --cache keeps view sets for later runs. --every queries only one copy in so many, for
// large registries. --check compares that many answers with a loop over all rows. --frontier measures other searches too. docs/scaling.md has the
// figures.
//
// The status is 1 when an answer was wrong.

import { loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { frontierOf } from './picture/frontier.mjs'
import { measured } from './picture/measure.mjs'
import { dealtPhotos } from './picture/photos.mjs'
import { queriesOf } from './picture/queries.mjs'
import { record } from './picture/record.mjs'
import { Registry } from './picture/registry.mjs'
import { redisBytes } from './picture/store.mjs'
import { TURNS, viewSets } from './picture/view-sets.mjs'
import { commit } from './robustness/record.mjs'

/** Up to so many rows, no picture is another one turned. */
const UPRIGHT_ROWS = 250_000
/** Of an unregistered photograph, every seventh edit is queried. */
const FOREIGN_EVERY = 7

const { values: args } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    photos: { type: 'string' },
    cache: { type: 'string' },
    frontier: { type: 'boolean', default: false },
    check: { type: 'string', default: '6' },
    limit: { type: 'string', default: '20' },
    every: { type: 'string', default: '1' },
    split: { type: 'string', default: 'test' },
    json: { type: 'boolean', default: false },
    record: { type: 'boolean', default: false },
  },
})
const sizes = args.rows.split(',').map(Number)
if (args.photos === undefined || args.cache === undefined || sizes.some((rows) => !(rows > 0))) {
  console.error('usage: npm run bench picture -- --rows N[,N] --photos FOLDER --cache FOLDER')
  process.exit(2)
}

const photos = dealtPhotos(args.photos, args.split, Number(args.limit))
const known = await queriesOf(photos.known, args.cache)
const foreign = await queriesOf(photos.foreign, args.cache, FOREIGN_EVERY)
const needed = Math.max(...sizes.map((rows) => Math.max(Math.min(rows, UPRIGHT_ROWS), Math.ceil(rows / TURNS))))
const { paths } = await viewSets(photos.filling, args.cache, needed)
const store = await redisBytes(known.map(({ registered }) => registered))
const results = []
for (const rows of sizes) {
  const registry = new Registry()
  registry.fill(paths, rows)
  for (const { name, registered } of known) registry.add(name, registered)
  const figures = await measured(registry, { foreign, known, paths, checked: Number(args.check), every: Number(args.every) })
  const { rows: all, pictures, coreMsP50, coreMsP99, recall, bytesPerPicture, ...rest } = figures
  const result = rounded({ rows: all, pictures, coreMsP50, coreMsP99, recall, bytesPerPicture, ...store, ...rest })
  Object.assign(result, {
    date: new Date().toISOString().slice(0, 10),
    commit: commit(),
    load: Number(loadavg()[0].toFixed(1)),
  })
  if (args.frontier) result.frontier = frontierOf(registry, { foreign, known }).map(rounded)
  results.push(result)
  if (args.json) console.log(JSON.stringify(result))
  else console.table(result)
  if (result.wrong > 0) process.exitCode = 1
}
if (args.record) record(results)
process.exit()

function rounded(figures) {
  const digits = (value) => (Number.isInteger(value) || typeof value !== 'number' ? value : Number(value.toPrecision(4)))
  return Object.fromEntries(Object.entries(figures).map(([name, value]) => [name, digits(value)]))
}
