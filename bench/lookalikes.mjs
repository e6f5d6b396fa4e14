// Measures false matches of innocent pictures that look like a registered one: masks, documents, parts of apps, templates, rooms, goods.
//
//   npm run bench lookalikes -- [--photos FOLDER] [--set a|b] [--size N] [--only A,B] [--hashes] [--recall N] [--cache FOLDER] [--against FILE]
//                               [--seed N] [--draw FOLDER] [--elements] [--listed N] [--json]
//
// All pictures are drawn (bench/lookalikes). A group has --size pictures. Each is registered by itself, and all others are queried. Of a part of an app,
// the bare part is registered, and innocent posts that contain it are queried. The worker's code, the catalogue and the matcher are the service's own.
// A query counts once, by the surest grade of its matches: by hashes, and again with extended protection unless --hashes is given.
// Recall of true copies is measured too: photographs and the parts that a mask left, and the seventy edits of --recall photographs (0 for none).
//
// The photographs are those of --photos, or drawn scenes. Set a has the tuning split, b the test split; each set draws formats, templates and words from
// its own seeds. Constants are chosen on a and reported on b. --against compares recall with the JSON of an earlier run of the same set.
// --elements imports the shipped bank of bare elements (harmless/elements.ndjson) first. --listed: for each registered picture, the first N flagged
// queries are listed as harmless, by all hashes in their answers, and the others are queried again.
// --only takes names of groups, or how they begin. --draw writes the pictures and measures nothing; --cache keeps edits. After SIGTERM it prints the
// figures so far.

import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import sharp from 'sharp'
import { GROUPS } from './lookalikes/groups.mjs'
import { measureGroup } from './lookalikes/measure.mjs'
import { photographs, photosNeeded, SETS } from './lookalikes/photos.mjs'
import { measureRecall, recallLost } from './lookalikes/recall.mjs'
import { table } from './lookalikes/report.mjs'
import { Service } from './lookalikes/service.mjs'
import { progress } from './report.mjs'
import { commit } from './robustness/record.mjs'

const ELEMENTS = new URL('../harmless/elements.ndjson', import.meta.url)
const options = optionsOf(process.argv.slice(2))
let isStopped = false
process.once('SIGTERM', () => {
  isStopped = true
})
// The decoder blocks most loaders of libvips for the whole process. The drawings here are SVG.
sharp.unblock({ operation: ['VipsForeignLoad'] })
if (options.draw === undefined) await measure()
else await drawAll()

async function measure() {
  const service = new Service(options.elements ? ELEMENTS : undefined)
  const { photos, size, set, seed, listed, groups: chosen, wantsDetails } = options
  const groups = {}
  const draw = progress('groups', chosen.length)
  for (const [i, group] of chosen.entries()) {
    if (isStopped) break
    groups[group.name] = await measureGroup(service, group, { photos, size, set, seed, listed }, wantsDetails)
    draw(i + 1)
  }
  const edited = photos.slice(0, options.recall)
  const recall =
    edited.length === 0 ? undefined : await measureRecall(service, edited, { ...options, isStopped: () => isStopped })
  const figures = { commit: commit(), conditions: options.conditions, isWhole: !isStopped, groups, recall }
  const lost = options.before === undefined ? null : recallLost(figures, options.before)
  const all = { ...figures, recallLost: lost }
  console.log(options.json ? JSON.stringify(all) : table(all))
}

/** Writes the pictures to files, for people to look at. */
async function drawAll() {
  const { photos, size, set, seed, draw } = options
  for (const group of options.groups) {
    const folder = join(draw, group.name.replaceAll(/[^a-z0-9]+/gi, '-'))
    mkdirSync(folder, { recursive: true })
    const { registered, asked = [] } = await group.draw({ photos, size, set, seed })
    for (const [kind, pictures] of Object.entries({ registered, asked }))
      for (const [i, { bytes }] of pictures.entries()) writeFileSync(join(folder, `${kind}-${i}.jpg`), bytes)
  }
}

function optionsOf(words) {
  const { values } = parsed(words)
  const size = integer(values, 'size', 2)
  const recall = integer(values, 'recall', 0)
  const listed = integer(values, 'listed', 0)
  if (!SETS.includes(values.set)) fail(`--set must be one of ${SETS.join(', ')}`)
  if (values.photos !== undefined && !statSync(values.photos, { throwIfNoEntry: false })?.isDirectory())
    fail(`--photos: there is no folder ${values.photos}`)
  const photos = photographs(values, size)
  const needed = photosNeeded(size)
  if (photos.length < needed)
    fail(`--photos: set ${values.set} has ${photos.length} photographs, and ${needed} are needed for --size ${size}`)
  const names = values.only?.split(',')
  const unknown = names?.find((name) => !GROUPS.some((group) => group.name.startsWith(name)))
  if (unknown !== undefined) fail(`--only: no group begins with ${unknown}`)
  const groups = GROUPS.filter(({ name }) => names?.some((beginning) => name.startsWith(beginning)) ?? true)
  const wantsDetails = !values.hashes
  const { set, seed } = values
  const conditions = {
    set,
    seed,
    size,
    recall,
    photos: values.photos === undefined ? 'drawn' : photos.length,
    details: wantsDetails,
    elements: values.elements,
    listed,
  }
  return {
    ...values,
    size,
    recall,
    listed,
    photos,
    groups,
    wantsDetails,
    conditions,
    before: earlier(values.against, conditions),
  }
}

function parsed(words) {
  try {
    return parseArgs({
      args: words,
      options: {
        photos: { type: 'string' },
        set: { type: 'string', default: 'a' },
        size: { type: 'string', default: '30' },
        only: { type: 'string' },
        hashes: { type: 'boolean', default: false },
        recall: { type: 'string', default: '20' },
        cache: { type: 'string' },
        against: { type: 'string' },
        seed: { type: 'string', default: '1' },
        draw: { type: 'string' },
        elements: { type: 'boolean', default: false },
        listed: { type: 'string', default: '0' },
        json: { type: 'boolean', default: false },
      },
    })
  } catch (error) {
    return fail(error.message)
  }
}

function integer(values, name, least) {
  const value = Number(values[name])
  return Number.isInteger(value) && value >= least ? value : fail(`--${name} must be an integer from ${least}`)
}

/** Recall can be compared only between runs with the same photographs. */
function earlier(file, conditions) {
  if (file === undefined) return undefined
  if (!statSync(file, { throwIfNoEntry: false })?.isFile()) fail(`--against: there is no file ${file}`)
  const before = JSON.parse(readFileSync(file, 'utf8'))
  const other = ['set', 'seed', 'size', 'recall', 'photos'].find((name) => before.conditions?.[name] !== conditions[name])
  if (other !== undefined) fail(`--against: ${file} has another --${other}`)
  return before.isWhole === false ? fail(`--against: ${file} is of a run that was ended early`) : before
}

/** @returns {never} */
function fail(message) {
  console.error(message)
  process.exit(2)
}
