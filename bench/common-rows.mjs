// Writes the lists of common details, which match in unrelated pictures and therefore prove nothing: details of drawn app screens, stickers and
// captions, and of a few freely licensed photographs.
//
//   node build.mjs && node bench/common-rows.mjs [--check] [--photos FOLDER]
//
// Writes src/services/matching/details/decoration-rows.bin, drawn here from a seed. With --photos it also writes
// src/services/matching/details/background-rows.bin, from photographs of the folder's tuning split that its manifest.csv (file, source, licence, …, tier)
// lists as CC0 or public domain. --check writes nothing and prints which share of the details the lists contain.

import { readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { SignalIndex } from '../dist/packages/core/src/search/signal-index.js'
import { checkCaught } from './decoration/check.mjs'
import { registered, sheetsFrom } from './decoration/look.mjs'
import { photosOf } from './robustness/photos.mjs'

const SHEETS = 150
const MAX_DECORATION_ROWS = 6000
const MAX_BACKGROUND_ROWS = 2000
/** A row represents all rows within this distance. */
const SAME_BITS = 18
const FREE = /CC0|public domain/

const { photos, check } = parseArgs({
  options: { photos: { type: 'string' }, check: { type: 'boolean', default: false } },
}).values
if (check) await checkCaught(photos)
else {
  await write('decoration-rows.bin', sheetsFrom(0, SHEETS), MAX_DECORATION_ROWS)
  if (photos !== undefined) await write('background-rows.bin', freePhotosOf(photos), MAX_BACKGROUND_ROWS)
}

async function write(name, pictures, maxRows) {
  const rows = []
  for (const picture of pictures) rows.push(...(await rowsOf(picture)))
  const chosen = representatives(rows).slice(0, maxRows)
  writeFileSync(resolve(import.meta.dirname, '../src/services/matching/details', name), Buffer.concat(chosen))
  console.log(`${name}: ${chosen.length} rows of ${rows.length}, from ${pictures.length} pictures`)
}

async function rowsOf(picture) {
  const { ranked, points } = await registered(picture)
  return [...ranked.rows, ...points.points].map(({ hash }) => hash)
}

/** Rows that represent the given ones. No two are near each other; those that represent most come first. */
function representatives(rows) {
  const index = new SignalIndex()
  for (const [i, row] of rows.entries()) index.insert(i, 0, row)
  while (index.compact(rows.length)) {}
  const near = rows.map((row) => index.within([row], SAME_BITS).map(({ image }) => image))
  const byCount = [...rows.keys()].sort((a, b) => near[b].length - near[a].length || a - b)
  const covered = new Set()
  return byCount.flatMap((i) => {
    if (covered.has(i)) return []
    for (const other of near[i]) covered.add(other)
    return [rows[i]]
  })
}

function freePhotosOf(folder) {
  const free = readFileSync(join(folder, 'manifest.csv'), 'utf8')
    .split('\n')
    .filter((line) => FREE.test(line) && line.trim().endsWith(',A'))
    .map((line) => line.slice(0, line.indexOf(',')))
  const tuning = photosOf(join(folder, 'images'), 'tuning', Number.POSITIVE_INFINITY)
  return tuning.filter(({ name }) => free.includes(`images/${name}`)).map(({ read }) => read())
}
