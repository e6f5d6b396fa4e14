// Compares random changes and searches of the index with a linear scan of a plain Map.
//
//   node build.mjs && node fuzz/search.mjs [--steps 2000000] [--minutes 60] [--seed 1] [--episode 17]
//
// An episode starts with an empty index and has one seed, kind of rows and size. The first wrong answer prints the seed, the episode and the step, and
// exits with 1; --episode repeats one episode alone.

import assert from 'node:assert/strict'
import { parseArgs } from 'node:util'
import { SignalIndex } from '../dist/packages/core/src/search/signal-index.js'
import { addRow, below, load, newWorld, oracle, pickBy, question, randomFrom, someHash, someImage } from './search-world.mjs'

const { values } = parseArgs({
  options: {
    steps: { type: 'string', default: '2000000' },
    minutes: { type: 'string', default: '60' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000_000) },
    episode: { type: 'string' },
  },
})
const [steps, minutes, seed] = [values.steps, values.minutes, values.seed].map(Number)

/** The share of episodes of each size, the number of rows that they tend to, and their steps. */
const SIZES = [
  { name: 'tiny', share: 0.38, rows: 20, steps: 2_000 },
  { name: 'small', share: 0.45, rows: 600, steps: 4_000 },
  { name: 'medium', share: 0.12, rows: 20_000, steps: 3_000 },
  { name: 'large', share: 0.02, rows: 90_000, steps: 2_000 },
  { name: 'growing', share: 0.03, rows: 150_000, steps: 150_000 },
]

const ACTIONS = ['insert', 'remove', 'load', 'within', 'begin', 'advance', 'compact', 'check', 'dump', 'clear']
/** Weights of the steps, by the size of the index: the oracle is slow with many rows. */
const WEIGHTS = {
  tiny: [30, 12, 3, 25, 5, 10, 2, 1, 0.2, 0.1],
  small: [40, 14, 1, 12, 3, 8, 2, 0.5, 0.05, 0.02],
  medium: [60, 20, 0.5, 2, 3, 8, 6, 1, 0.05, 0.01],
  large: [60, 30, 0.5, 1, 2, 6, 6, 1, 0.05, 0.01],
  growing: [1_000, 50, 0.02, 0.3, 0.5, 1, 1, 0.1, 0.01, 0.001],
}

const totals = { episodes: 0, steps: 0, searches: 0, finished: 0, pauses: 0, hits: 0, rowsMost: 0, segments: 0, cleared: 0 }

function run(episode) {
  const random = randomFrom(seed * 65_537 + episode)
  const size = pickBy(SIZES, ({ share }) => share, random)
  const world = newWorld(size, random)
  const actions = ACTIONS.map((action, i) => [action, WEIGHTS[size.name][i]])
  let step = 0
  try {
    if (size.name === 'medium' || size.name === 'large') load(world, below(random, size.rows))
    for (; step < size.steps; step++) {
      const [action] = pickBy(actions, ([, weight]) => weight, random)
      take[action](world)
    }
    while (world.searches.length > 0) advance(world, world.searches[0])
    checkCompacted(world)
  } catch (error) {
    console.error(`seed ${seed} episode ${episode} (${size.name}) step ${step} of ${size.steps}`)
    console.error(error)
    process.exit(1)
  }
  totals.episodes++
  totals.steps += size.steps
}

const take = {
  insert(world) {
    const { random, index } = world
    if (world.rows > world.size.rows && random() < 0.7) return take.remove(world)
    if (world.lastRemoved !== undefined && random() < 0.01) {
      assert.throws(() => index.insert(world.lastRemoved, 0, world.centres[0]), RangeError)
      return
    }
    const image = someImage(world)
    const row = { view: below(random, 256), hash: someHash(world) }
    index.insert(image, row.view, row.hash)
    addRow(world, image, row)
  },

  remove(world) {
    const { random, index, images } = world
    if (images.length === 0) return index.remove(world.nextImage + 5)
    // Often the oldest rows, so that whole parts become empty.
    const at = random() < 0.3 ? below(random, Math.ceil(images.length / 20)) : below(random, images.length)
    const image = images[at]
    images[at] = images.at(-1)
    images.pop()
    index.remove(image)
    world.rows -= world.rowsOfImage.get(image).length
    world.rowsOfImage.delete(image)
    world.lastRemoved = image
    for (const search of world.searches) search.gone.add(image)
    if (random() < 0.05) index.remove(image)
  },

  load(world) {
    load(world, below(world.random, world.random() < 0.1 ? world.size.rows : 30))
  },

  within(world) {
    const { needles, thresholdBits } = question(world)
    totals.searches++
    compare(world.index.within(needles, thresholdBits), oracle(world, needles, thresholdBits))
  },

  begin(world) {
    if (world.searches.length >= 5) return
    const { needles, thresholdBits } = question(world)
    totals.searches++
    world.searches.push({
      steps: world.index.search(needles, thresholdBits),
      expected: oracle(world, needles, thresholdBits),
      gone: new Set(),
      isCleared: false,
    })
  },

  advance(world) {
    const search = world.searches[below(world.random, world.searches.length)]
    if (search !== undefined) advance(world, search)
  },

  compact(world) {
    world.index.compact(Math.ceil(2 ** (world.random() * 21)))
  },

  check(world) {
    const { index, rows } = world
    assert.equal(index.liveRows, rows)
    assert.ok(index.rows >= rows)
    totals.rowsMost = Math.max(totals.rowsMost, index.rows)
    totals.segments += index.status(31).filter(({ kind }) => kind === 'segment').length
    if (world.random() < 0.1) checkCompacted(world)
  },

  dump(world) {
    const copy = new SignalIndex()
    for (const piece of world.index.dump()) {
      if (piece.kind === 'rows') copy.load(piece)
      else {
        const { content, adopt } = copy.restore(piece.rows, piece.counts)
        content.set(piece.content)
        for (const _ of adopt((image) => world.rowsOfImage.has(image)));
      }
    }
    const { needles, thresholdBits } = question(world)
    assert.equal(copy.liveRows, world.rows)
    compare(copy.within(needles, thresholdBits), oracle(world, needles, thresholdBits))
  },

  clear(world) {
    world.index.clear()
    world.rowsOfImage.clear()
    world.images.length = 0
    world.rows = 0
    world.lastRemoved = undefined
    // Numbers may be reused.
    world.nextImage = below(world.random, 10)
    for (const search of world.searches) search.isCleared = true
    totals.cleared++
  },
}

function advance(world, search) {
  const next = search.steps.next()
  if (next.done !== true) {
    totals.pauses++
    return
  }
  world.searches.splice(world.searches.indexOf(search), 1)
  totals.finished++
  compare(next.value, search.isCleared ? [] : search.expected.filter(({ image }) => !search.gone.has(image)))
}

function checkCompacted(world) {
  const { index, rows } = world
  for (let calls = 0; index.compact(500_000); calls++) assert.ok(calls < 10_000)
  assert.equal(index.rows, rows)
  assert.ok(index.status(0).every(({ deadRows }) => deadRows === 0))
  take.within(world)
}

function compare(found, expected) {
  totals.hits += found.length
  const [has, wants] = [found, expected].map((hits) => Float64Array.from(hits, keyOf).sort())
  if (has.length === wants.length && has.every((key, i) => key === wants[i])) return
  const [hasOnce, wantsOnce] = [new Set(has), new Set(wants)]
  const shown = (keys, others) => keys.filter((hit) => !others.has(keyOf(hit))).slice(0, 5)
  assert.deepEqual(
    { missing: shown(expected, hasOnce), extra: shown(found, wantsOnce), count: has.length },
    { missing: [], extra: [], count: wants.length },
  )
}

/** Encodes a hit as one number. Image numbers must be below 2²⁹. */
function keyOf({ image, view, transform, distanceBits }) {
  return ((image * 256 + view) * 64 + transform) * 512 + distanceBits
}

const begun = Date.now()
console.log(`seed ${seed}`)
if (values.episode !== undefined) run(Number(values.episode))
else for (let episode = 0; totals.steps < steps && Date.now() - begun < minutes * 60_000; episode++) run(episode)
console.log(`seed ${seed}: no difference`, JSON.stringify({ ...totals, seconds: Math.round((Date.now() - begun) / 1_000) }))
