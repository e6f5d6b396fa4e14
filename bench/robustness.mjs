// Which edits of a photograph are found, beside the algorithms deployed elsewhere; and what is found falsely?
//
//   npm run bench robustness -- --photos FOLDER [--limit N] [--distractors FOLDER] [--variants A,B] [--layouts FILE] [--json]
//
// Without arguments it prints all options. The status is 2 when the arguments are wrong. docs/robustness.md describes the measurement.

import { writeFileSync } from 'node:fs'
import { chart } from './robustness/chart.mjs'
import { openEdits } from './robustness/edits.mjs'
import { measure } from './robustness/measure.mjs'
import { BadArguments, optionsOf, USAGE } from './robustness/options.mjs'
import { distractorsOf, photosOf } from './robustness/photos.mjs'
import { commit, record } from './robustness/record.mjs'
import { curveCsv, falsePairsCsv, jsonLine, recallCsv, recallTable, summary } from './robustness/report.mjs'
import { rawOf, sumOf } from './robustness/sum.mjs'

const words = process.argv.slice(2)
if (words.includes('--help')) {
  console.log(USAGE)
} else if (words.length === 0) {
  console.error(USAGE)
  process.exitCode = 2
} else {
  try {
    await main(optionsOf(words))
  } catch (error) {
    if (!(error instanceof BadArguments)) throw error
    console.error(error.message)
    process.exitCode = 2
  }
}

async function main(options) {
  const figures = options.sum === undefined ? await measured(options) : sumOf(options.sum)

  if (options.json) console.log(jsonLine(figures))
  else console.log(`${recallTable(figures)}\n\n${summary(figures).join('\n')}`)
  write(options.raw, () => JSON.stringify(rawOf(figures)))
  write(options.csv, () => recallCsv(figures))
  write(options.curve, () => curveCsv(figures))
  write(options.falsePairs, () => falsePairsCsv(figures))
  write(options.chart, () => chart(figures))
  if (options.record) record(figures, options)
}

async function measured(options) {
  const photos = photosOf(options.photos, options.split, options.limit)
  if (photos.length === 0)
    throw new BadArguments(`--photos: ${options.photos} holds no pictures of the split ${options.split}`)
  const distractors = options.distractors === undefined ? [] : distractorsOf(options.distractors)
  const edits = await openEdits({ ...options, only: options.variants })
  const { number, of } = options.part
  const facts = { split: options.split, parts: of === 1 ? [] : [`${number}/${of}`], commit: commit() }
  return { ...facts, ...(await measure({ ...options, photos, distractors, edits })) }
}

function write(file, made) {
  if (file !== undefined) writeFileSync(file, made())
}
