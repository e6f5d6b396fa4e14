// Reads the command line. Mistakes in it are reported before anything is measured.

import { existsSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { SPLITS } from './photos.mjs'

export const STAGES = ['hash', 'details', 'both', 'service']

export const USAGE = `usage: npm run bench robustness -- --photos FOLDER [options]

  --photos FOLDER       photographs to register, whose edits are queried
  --limit N             only the first N photographs
  --split S             ${SPLITS.join(', ')}: which photographs, by their names (all)
  --variants A,B        only these edits or groups of edits
  --stage S             ${STAGES.join(', ')}: by hashes; by details; by both and by each alone; by details where hashes found nothing,
                        as the service does with extended protection (both)
  --layouts FILE        a module of further edits, for instance bench/variants/unseen.mjs
  --seed N              the seed that decides the edits (1)
  --cache FOLDER        keeps edits and registered pictures, for one seed, one folder of photographs and one version
  --part I/N            queries only every Nth photograph, from the Ith on (0/1)
  --raw FILE            writes the figures of a part, as JSON
  --sum A,B             adds up such files instead of measuring
  --distractors FOLDER  more pictures to register, which no edit shows
  --rows FILE           hashes of more pictures, 32 bytes each, of type pdq-area and view crop
  --rows-per-image N    how many of those rows belong to one picture (100)
  --among N,M           also grades by hashes for an upload among so many registered images (grading=per-upload)
  --json                prints one line of JSON and nothing else
  --csv FILE            writes the recall of each edit
  --curve FILE          writes false pairs and recall by threshold, for each pair of views, as CSV
  --false-pairs FILE    writes the false pairs, as CSV
  --chart FILE          draws the recall of each edit, as SVG
  --record              records the figures in bench/record

SIGTERM ends the run and prints the figures of the photographs so far.

docs/robustness.md describes the measurement.`

const OPTIONS = {
  photos: { type: 'string' },
  stage: { type: 'string', default: 'both' },
  limit: { type: 'string' },
  split: { type: 'string', default: 'all' },
  variants: { type: 'string' },
  layouts: { type: 'string' },
  seed: { type: 'string', default: '1' },
  cache: { type: 'string' },
  part: { type: 'string', default: '0/1' },
  raw: { type: 'string' },
  sum: { type: 'string' },
  distractors: { type: 'string' },
  rows: { type: 'string' },
  'rows-per-image': { type: 'string', default: '100' },
  among: { type: 'string' },
  json: { type: 'boolean', default: false },
  csv: { type: 'string' },
  curve: { type: 'string' },
  'false-pairs': { type: 'string' },
  chart: { type: 'string' },
  record: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
}
const MAX_ROWS_AN_IMAGE = 256 // views are numbered in a byte

/** Invalid arguments. The message is for the user. */
export class BadArguments extends Error {}

/** @throws {BadArguments} */
export function optionsOf(words) {
  const values = parsed(words)
  if (values.photos === undefined) throw new BadArguments('--photos FOLDER is missing')
  if (!STAGES.includes(values.stage)) throw new BadArguments(`--stage must be one of ${STAGES.join(', ')}`)
  if (!SPLITS.includes(values.split)) throw new BadArguments(`--split must be one of ${SPLITS.join(', ')}`)
  for (const name of ['photos', 'distractors']) requireFolder(name, values[name])
  for (const name of ['layouts', 'rows']) requireFile(name, values[name])
  for (const name of ['csv', 'curve', 'false-pairs', 'chart', 'raw']) requireRoom(name, values[name])
  const sum = values.sum?.split(',')
  for (const file of sum ?? []) requireFile('sum', file)
  return {
    ...values,
    sum,
    part: partOf(values.part),
    limit: values.limit === undefined ? Number.POSITIVE_INFINITY : integer(values, 'limit', 1, Number.MAX_SAFE_INTEGER),
    rowsPerImage: integer(values, 'rows-per-image', 1, MAX_ROWS_AN_IMAGE),
    variants: values.variants?.split(',').map((name) => name.trim()),
    falsePairs: values['false-pairs'],
    among: (values.among?.split(',') ?? []).map((images) => integer({ images }, 'images', 1, Number.MAX_SAFE_INTEGER)),
  }
}

/** @returns {Record<string, any>} */
function parsed(words) {
  try {
    return parseArgs({ args: words, options: OPTIONS }).values
  } catch (error) {
    throw new BadArguments(error.message)
  }
}

function partOf(text) {
  const [, number, of] = /^(\d+)\/([1-9]\d*)$/.exec(text) ?? []
  if (of !== undefined && Number(number) < Number(of)) return { number: Number(number), of: Number(of) }
  throw new BadArguments('--part must be I/N, I from 0 to N − 1')
}

function integer(values, name, least, most) {
  const value = Number(values[name])
  if (Number.isInteger(value) && value >= least && value <= most) return value
  throw new BadArguments(
    `--${name} must be an integer ${most === Number.MAX_SAFE_INTEGER ? `from ${least}` : `${least}…${most}`}`,
  )
}

function requireFolder(name, path) {
  if (path === undefined || statSync(path, { throwIfNoEntry: false })?.isDirectory()) return
  throw new BadArguments(`--${name}: there is no folder ${path}`)
}

function requireFile(name, path) {
  if (path === undefined || statSync(path, { throwIfNoEntry: false })?.isFile()) return
  throw new BadArguments(`--${name}: there is no file ${path}`)
}

/** Checked before an hour of measuring rather than after it. */
function requireRoom(name, path) {
  if (path === undefined || existsSync(resolve(path, '..'))) return
  throw new BadArguments(`--${name}: there is no folder to write ${path} into`)
}
