// Registers pictures, queries edits of them, and counts.

import { perUpload } from '../../dist/packages/core/src/matching/registry-size.js'
import { progress } from '../report.mjs'
import { openBaselines } from './baselines.mjs'
import { addTo, emptyChecked } from './checked.mjs'
import { Stopwatch } from './clock.mjs'
import { DetailsRegistry } from './details.mjs'
import { asked, contentOf, decode, isTooPlainToAsk, orientationGroupsOf } from './hasher.mjs'
import { Cells, References } from './references.mjs'
import { register } from './register.mjs'
import { Distances, isFound, Recall } from './tally.mjs'

const STAGE_NAMES = { hash: 'Tabir', details: 'details alone', both: 'hashes and details', service: 'hashes and details' }
const WARM_UPS = 5 // until the compilers are done, so that a short run does not time them
const ROWS_OF = { type: 'pdq-area', view: 'crop' } // what files of hashes hold

/**
 * @param part `{ number, of }`: one photograph in `of` is asked about; all are registered.
 * @returns all figures of a run. `edits` is from `openEdits`, the other arguments are from the command line.
 */
export async function measure({ photos, distractors, edits, rows, rowsPerImage, stage, cache, part, among }) {
  const cells = new Cells()
  const run = {
    cells,
    references: new References(cells),
    // They are hashes, and were measured with these.
    baselines: stage === 'hash' ? openBaselines() : [],
    stage,
    among,
    cache,
    details: stage === 'hash' ? undefined : new DetailsRegistry(),
    recall: new Recall(edits.catalogue),
    distances: new Distances(cells),
    hashing: new Stopwatch(),
    searching: new Stopwatch(),
    count: { queries: 0, needles: 0, pairs: 0, baselinePairs: 0, baselineFalse: {} },
    falsePairs: [],
    checked: emptyChecked(),
  }
  const { images, ...registered } = await register(run, photos, distractors)
  const pictures = run.references.images
  if (rows !== undefined) run.references.addRows(rows, rowsPerImage, ROWS_OF)
  run.held = run.references.held()

  // What distractors show is unknown; those that show edited photographs may show these.
  const photographs = new Set(images.values())
  const unsure = Array.from({ length: pictures }, (_, image) => image).filter((image) => !photographs.has(image))
  const known = photos.filter(({ name }) => images.has(name)).filter((_, i) => i % part.of === part.number)
  const draw = progress('queries', known.length * edits.catalogue.length)
  let isStopped = false
  process.once('SIGTERM', () => {
    isStopped = true
  })
  for (const photo of known) {
    if (isStopped) break
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
  const near = isTooPlainToAsk(signals) ? new Map() : run.references.nearest(signals)
  const isForeign = (image) => image !== shown.own && !shown.beside.has(image)

  const matched = new Set([...near].filter(([, closest]) => isFound(closest, run.cells)).map(([image]) => image))
  const looksAtDetails = run.details !== undefined && (run.stage !== 'service' || matched.size === 0)
  const detailed = looksAtDetails ? await lookAtDetails(run, edit, isForeign, matched.size > 0) : []
  const found = foundBy(run.stage, matched.has(shown.own), detailed.includes(shown.own))
  for (const images of run.among) found[amongKey(images)] = isFound(near.get(shown.own), run.cells, perUpload(images))
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
      run.falsePairs.push({
        own: shown.own,
        edit: edit.id,
        image,
        togetherBits: closest.togetherBits,
        distances: closest.distances,
      })
  }
  countPairs(run, signals, shown)
  count(run, signals, 1 + shown.beside.size, pictures)
}

function amongKey(images) {
  return `among ${images.toLocaleString('en')}`
}

/** Registered pictures found, by method; `tabir` is the chosen stage. */
function foundBy(stage, byHashes, byDetails) {
  if (stage === 'hash') return { tabir: byHashes }
  return {
    tabir: byDetails || (stage !== 'details' && byHashes),
    ...(stage !== 'details' && { hash: byHashes }),
    ...(stage === 'both' && { details: byDetails }),
  }
}

/** @returns the pictures that are shown, as far as details tell. */
async function lookAtDetails({ details, checked, count, references }, edit, isForeign, wasMatched) {
  const { views, images, verified, lookedMs, searchedMs } = await details.find(edit.bytes)
  addTo(checked, {
    queries: 1,
    lookedMs,
    searchedMs,
    pairs: references.images - 1,
    wrong: verified.filter(isForeign).length,
    falseAccepts: images.filter(isForeign).length,
    // The service asks details where hashes found nothing.
    falseAcceptsAsked: wasMatched ? 0 : images.filter(isForeign).length,
  })
  for (const { inliers, isShown } of details.lookCloser(views, isForeign).values()) {
    addTo(checked, { forced: 1, forcedAccepts: Number(isShown) })
    checked.forcedInliers[inliers] = (checked.forcedInliers[inliers] ?? 0) + 1
  }
  for (const image of images) if (isForeign(image)) checked.accepted.push({ edit: edit.id, image, query: count.queries })
  return images
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
    const orientationGroups = asked.flatMap((signal) =>
      orientationGroupsOf(signal).map(({ rotated }) => cells.of(type, signal.view, view, rotated, contentOf(signal))),
    )
    for (const cell of new Set(orientationGroups)) distances.addPairs(cell, foreign)
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
  among,
  checked,
}) {
  const ofHashes = { pairs: count.pairs, falsePairs: falsePairs.length }
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
      // What is false of details is in `checked`.
      { key: 'tabir', name: STAGE_NAMES[stage], ...(stage === 'hash' && ofHashes) },
      ...(stage === 'both' || stage === 'service' ? [{ key: 'hash', name: 'hashes alone', ...ofHashes }] : []),
      ...(stage === 'both' ? [{ key: 'details', name: 'details alone' }] : []),
      // By hashes alone.
      ...among.map((images) => ({ key: amongKey(images), name: amongKey(images) })),
      ...baselines.map(({ key, name }) => {
        return { key, name, pairs: count.baselinePairs, falsePairs: count.baselineFalse[key] ?? 0 }
      }),
    ],
    hashing: hashing.summary(),
    searching: searching.summary(),
  }
}
