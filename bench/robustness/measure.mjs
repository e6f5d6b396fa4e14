// Registers pictures, asks for edits of them, counts.

import { progress } from '../report.mjs'
import { openBaselines } from './baselines.mjs'
import { Stopwatch } from './clock.mjs'
import { DetailsIndex } from './details.mjs'
import { asked, decode, lotsOf } from './hasher.mjs'
import { Cells, References } from './references.mjs'
import { register } from './register.mjs'
import { Distances, isFound, Recall } from './tally.mjs'

const WARM_UPS = 5 // until the compilers are done, so that a short run does not time them
const ROWS_OF = { type: 'pdq-area', view: 'crop' } // what files of hashes hold

/** @returns all figures of a run. `edits` is from `openEdits`, the other arguments are from the command line. */
export async function measure({ photos, distractors, edits, rows, rowsPerImage, stage }) {
  const cells = new Cells()
  const run = {
    cells,
    references: new References(cells),
    baselines: openBaselines(),
    stage,
    details: stage === 'hash' ? undefined : new DetailsIndex(),
    recall: new Recall(edits.catalogue),
    distances: new Distances(cells),
    hashing: new Stopwatch(),
    searching: new Stopwatch(),
    count: { queries: 0, needles: 0, pairs: 0, baselinePairs: 0, baselineFalse: {} },
    falsePairs: [],
    checked: { queries: 0, wrong: 0, falseAccepts: 0, inliers: [], lookedMs: 0, searchedMs: 0 },
  }
  const { images, ...registered } = await register(run, photos, distractors)
  noteDecoration(run, registered.names)
  const pictures = run.references.images
  if (rows !== undefined) run.references.addRows(rows, rowsPerImage, ROWS_OF)
  run.held = run.references.held()

  // Nobody knows what distractors show, and those that show edited photographs may show these.
  const photographs = new Set(images.values())
  const unsure = Array.from({ length: pictures }, (_, image) => image).filter((image) => !photographs.has(image))
  const known = photos.filter(({ name }) => images.has(name))
  const draw = progress('queries', known.length * edits.catalogue.length)
  for (const photo of known) {
    for await (const edit of edits.of(photo)) {
      const beside = edit.usesOthers ? [...photo.others.flatMap((name) => images.get(name) ?? []), ...unsure] : []
      await ask(run, edit, { own: images.get(photo.name), beside: new Set(beside) }, pictures)
      draw(run.count.queries)
    }
  }
  run.distances.addAllPairs(run.count.pairs)
  return { ...registered, ...figuresOf(run) }
}

/** @param shown the photograph that the edit is of, and those that it shows beside it: neither finding is false. */
async function ask(run, edit, shown, pictures) {
  const pixels = await decode(edit.bytes)
  for (let i = 0; run.count.queries === 0 && i < WARM_UPS; i++) run.references.search(asked(pixels))
  const signals = run.hashing.time(() => asked(pixels))
  run.searching.time(() => run.references.search(signals))
  const near = run.references.nearest(signals)
  const isForeign = (image) => image !== shown.own && !shown.beside.has(image)

  const matched = new Set([...near].filter(([, closest]) => isFound(closest, run.cells)).map(([image]) => image))
  const byDetails = run.stage === 'details' || (run.stage === 'both' && matched.size === 0)
  const detailed = byDetails ? await lookAtDetails(run, edit, isForeign) : []
  if (run.stage === 'details') matched.clear()
  const found = { tabir: matched.has(shown.own) || detailed.includes(shown.own) }
  for (const baseline of run.baselines) {
    const baselineMatched = baseline.near({ signals, pixels })
    found[baseline.key] = baselineMatched.includes(shown.own)
    const before = run.count.baselineFalse[baseline.key] ?? 0
    run.count.baselineFalse[baseline.key] = before + baselineMatched.filter(isForeign).length
  }
  run.recall.add(edit.id, found)
  run.distances.addOwn(near.get(shown.own), edit.group)
  for (const [image, closest] of near) {
    if (!isForeign(image)) continue
    run.distances.addForeign(closest)
    if (matched.has(image))
      run.falsePairs.push({ own: shown.own, edit: edit.id, image, pairs: closest.pairs, distances: closest.distances })
  }
  countPairs(run, signals, shown)
  count(run, signals, 1 + shown.beside.size, pictures)
}

/** @returns the pictures that are shown, as far as details tell. */
async function lookAtDetails({ details, checked }, edit, isForeign) {
  const { images, verified, lookedMs, searchedMs } = await details.find(edit.bytes)
  checked.queries++
  checked.lookedMs += lookedMs
  checked.searchedMs += searchedMs
  checked.falseAccepts += images.filter(isForeign).length
  for (const [image, { inliers }] of verified) {
    if (!isForeign(image)) continue
    checked.wrong++
    checked.inliers[inliers] = (checked.inliers[inliers] ?? 0) + 1
  }
  return images
}

/** Pictures are related when hashes find one in the other, or when they are edits of one photograph by their names. */
function noteDecoration({ details }, names) {
  details?.noteDecoration((one, other) => stemOf(names[one]) === stemOf(names[other]))
}

/** Distractors that are edits are named for their photograph: `photo-001-edit`. */
function stemOf(name) {
  return name.split('.')[0].split('-').slice(0, 2).join('-')
}

function count({ count, references }, signals, shown, pictures) {
  count.queries++
  count.needles += signals.reduce((sum, { hashes }) => sum + hashes.length, 0)
  count.pairs += references.images - shown
  count.baselinePairs += pictures - shown
}

/** Of each kind of pair: how many pictures that the query does not show have a row of that view. */
function countPairs({ references, distances, cells, held }, signals, { own, beside }) {
  for (const { type, view, images } of held) {
    const asked = signals.filter((signal) => signal.type === type)
    if (asked.length === 0) continue
    const foreign = images - [own, ...beside].filter((image) => references.holds(image, type, view)).length
    const lots = asked.flatMap((signal) => lotsOf(signal).map(({ turned }) => cells.of(type, signal.view, view, turned)))
    for (const cell of new Set(lots)) distances.addPairs(cell, foreign)
  }
}

function figuresOf({
  count,
  references,
  recall,
  distances,
  hashing,
  searching,
  baselines,
  falsePairs,
  cells,
  stage,
  checked,
}) {
  return {
    ...count,
    stage,
    checked,
    needlesPerQuery: count.needles / Math.max(1, count.queries),
    references: references.images,
    falsePairs: falsePairs.map(({ distances, ...pair }) => ({ ...pair, nearest: cells.named(distances) })),
    edits: recall.edits(),
    groups: recall.groups(),
    distances,
    methods: [
      { key: 'tabir', name: 'Tabir', pairs: count.pairs, falsePairs: falsePairs.length },
      ...baselines.map(({ key, name }) => {
        return { key, name, pairs: count.baselinePairs, falsePairs: count.baselineFalse[key] ?? 0 }
      }),
    ],
    hashing: hashing.summary(),
    searching: searching.summary(),
  }
}
