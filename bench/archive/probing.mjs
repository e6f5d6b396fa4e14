// How much of a stored hash do answers reveal before and after the image is blurred, and what do innocent callers lose? Simulated against the probing
// budget itself.
//
//   node bench/archive/probing.mjs [--trials N]
//
// A query reveals at most one bit, and only near an edge that its caller can observe at that moment. These are counted for several ways to search. The
// curve shows what an attacker reads from the answers, blurred ones too, with and without harmless queries (decoys) beside each chosen one. Innocent
// callers query copies with the distances measured on eight photographs, 150 copies each (cropped by up to 12 % a side, brightened, blurred, written
// on, scaled, recompressed). The cost of the guard is measured over the same queries. The status is 1 when a search was told more than 40 bits before
// the image was blurred.

import { createHash, randomBytes } from 'node:crypto'
import { parseArgs } from 'node:util'
import { CASES_BANK } from '../../dist/packages/core/src/matching/bank.js'
import { EDGE_BITS, edgeOf } from '../../dist/packages/core/src/matching/edges.js'
import { WHOLE_VIEWS } from '../../dist/packages/core/src/matching/evidence.js'
import { PER_PAIR } from '../../dist/packages/core/src/matching/registry-size.js'
import { MAX_BLUR_BITS } from '../../dist/src/services/matching/hit-distance.js'
import { createProbingBudget } from '../../dist/src/services/matching/probing/probing.js'
import { createProbingGuard } from '../../dist/src/services/matching/probing/probing-guard.js'
import { digestOf } from '../../dist/src/services/matching/query-digest.js'
import { COPY_DISTANCES } from './probing/copy-distances.mjs'
import { reading } from './probing/reading.mjs'

const { values: args } = parseArgs({ options: { trials: { type: 'string', default: '3' } } })

const DAY_MS = 86_400_000
const HALF_LIFE_MS = 180 * DAY_MS
const MAX_LEAKED_BITS = 40
const THRESHOLD_BITS = 31
const BITS = 256
const BITS_OF = Array.from({ length: BITS }, (_, bit) => bit)
const FACTS = {
  ...{ bank: CASES_BANK, type: 'pdq', views: WHOLE_VIEWS, strictness: PER_PAIR, thresholdBits: undefined },
  ...{ togetherBits: Number.POSITIVE_INFINITY, nearTogetherBits: Number.POSITIVE_INFINITY, isCorroborationClose: false },
}

/** As src/store/scripts/trust/probing.ts does. */
function countsInMemory() {
  const fields = new Map()
  const read = (name, nowMs) => {
    const { inner = 0, outer = 0, atMs = nowMs } = fields.get(name) ?? {}
    const left = 0.5 ** ((nowMs - atMs) / HALF_LIFE_MS)
    return { inner: inner * left, outer: outer * left }
  }
  return {
    async charge(_orgId, charges, nowMs) {
      const charged = (name, { inner, outer }) => {
        const was = read(name, nowMs)
        const is = { inner: was.inner + inner, outer: was.outer + outer }
        fields.set(name, { ...is, atMs: nowMs })
        return is
      }
      return charges.map((charge) => ({ own: charged(charge.own, charge), all: charged(charge.shared, charge) }))
    },
  }
}

function world() {
  const clock = { nowMs: Date.UTC(2026, 0, 1) }
  const now = () => clock.nowMs
  const budget = createProbingBudget({
    counts: countsInMemory(),
    secret: randomBytes(32),
    now,
    onError: (error) => {
      throw error
    },
  })
  const guard = createProbingGuard({
    budget,
    secret: randomBytes(32),
    mode: 'limit',
    events: { add: async () => {} },
    now,
    onError: () => {},
  })
  const tally = { asked: 0, sharp: 0, lost: 0, us: 0 }

  /** @returns the band that the caller is told, or '' when nothing is found; and whether its answer was blurred. */
  async function ask(orgId, imageId, exactBits, hash) {
    tally.asked++
    const wasBlurred = budget.restrictionOf(orgId, imageId)?.isBlurred === true
    const bitsNow = () => {
      const blur = guard.blurOf(orgId, () => digestOf([{ type: 'pdq', view: 'whole', hashes: [hash] }]))
      return exactBits === 0 ? 0 : exactBits + (blur?.bitsOf(imageId) ?? 0)
    }
    const begun = performance.now()
    const distanceBits = bitsNow()
    tally.us += (performance.now() - begun) * 1000
    if (distanceBits > THRESHOLD_BITS + EDGE_BITS) return ''
    const isFound = distanceBits <= THRESHOLD_BITS
    const edge = isFound ? edgeOf({ ...FACTS, distanceBits }) : 'outer'
    const restriction = budget.restrictionOf(orgId, imageId)
    const digest = createHash('sha1').update(hash).digest()
    const marks = [digest.readUInt32LE(0), digest.readUInt32LE(4)]
    const observed = { imageId, edge, distanceBits: isFound ? distanceBits : undefined, marks, plain: undefined }
    const counting = performance.now()
    const counted = guard.count(orgId, [observed], false)
    tally.us += (performance.now() - counting) * 1000
    const screen = counted instanceof Promise ? await counted : counted
    const isBlurred = budget.restrictionOf(orgId, imageId)?.isBlurred === true
    if (imageId === 'image' && !isBlurred && (edge === 'outer' || (edge === 'inner' && !restriction?.isCoarse)))
      tally.sharp++
    // A query that blurs the image is answered blurred itself.
    const bits = wasBlurred ? distanceBits : bitsNow()
    if (bits > THRESHOLD_BITS) return ''
    const match = { grade: 'near', distanceBits: bits, signalType: 'pdq', distanceBand: bandOf(bits) }
    return (screen?.(imageId, match) ?? match).distanceBand
  }
  const isBlurred = (orgId) => budget.restrictionOf(orgId, 'image')?.isBlurred === true
  return { ask, isBlurred, tally, clock, close: () => guard.close() }
}

function bandOf(bits) {
  return bits === 0 ? '0' : bits <= 15 ? '1-15' : '16-31'
}

function flipped(hash, bits) {
  const copy = Buffer.from(hash)
  for (const bit of bits) copy[bit >> 3] ^= 1 << (bit & 7)
  return copy
}

function distanceOf(a, b) {
  let bits = 0
  for (let i = 0; i < 32; i++) for (let left = a[i] ^ b[i]; left !== 0; left &= left - 1) bits++
  return bits
}

function someBits(count) {
  const bits = new Set()
  while (bits.size < count) bits.add(Math.floor(Math.random() * BITS))
  return [...bits]
}

/** Turns over a bit a query, or a group of them, at a hash that lies at an edge. */
async function search({ edgeBits = 32, group = 1, orgs = 1, queries = BITS, between }) {
  const service = world()
  const stored = randomBytes(32)
  const at = flipped(stored, someBits(edgeBits))
  const ask = (orgId, hash) => service.ask(orgId, 'image', distanceOf(hash, stored), hash)
  for (let i = 0; i < queries; i++) {
    await between?.({ i, ask, stored, clock: service.clock, service })
    await ask(`org ${i % orgs}`, flipped(at, group === 1 ? [i % BITS] : someBits(group)))
  }
  await service.close()
  return { 'sharp answers': service.tally.sharp, asked: service.tally.asked }
}

const SEARCHES = {
  'bit by bit': {},
  'with noise signals (they are near no image)': {},
  'between decoys': { between: ({ i, service }) => service.ask('org 0', `decoy ${i % 33}`, i % 40, randomBytes(32)) },
  'in groups of 6': { edgeBits: 28, group: 6, queries: 1000 },
  'in groups of 12': { edgeBits: 20, group: 12, queries: 1000 },
  'between two bands': { edgeBits: 16 },
  'first between bands, then at the radius': { edgeBits: 31, group: 2, queries: 1000, between: bandsFirst },
  'one key over 90 days': {
    queries: 1000,
    async between({ clock }) {
      clock.nowMs += (90 * DAY_MS) / 1000
    },
  },
  'three organisations': { orgs: 3, queries: 1000 },
  'four harmless copies beside each': {
    between: async ({ ask, stored }) => {
      for (let i = 0; i < 4; i++) await ask('org 0', flipped(stored, someBits(20)))
    },
  },
}

async function bandsFirst({ i, ask, stored }) {
  if (i < 100) await ask('org 0', flipped(flipped(stored, someBits(16)), [i]))
}

/** Distances at which an answer tells an attacker most: at the radius; and near its far end once it is blurred (bench/record/tuning.md). */
const SOUGHT_BITS = { sharp: THRESHOLD_BITS + 1, blurred: 29 }
const CHOSEN = [10, 100, 1000, 10_000]
const THOUGHTS = [10, 25, 50, 100, 200, 400, 700, 1000, 2000, 4000, 10_000]
/** Of the copy that the attacker holds. */
const COPY_BITS = 16
const PRIOR_BITS = -BITS * [COPY_BITS / BITS, 1 - COPY_BITS / BITS].reduce((sum, p) => sum + p * Math.log2(p), 0)

/** The chance that something is found at each distance. */
function foundAt(maxBlurBits) {
  return Array.from({ length: BITS + 2 }, (_, bits) =>
    Math.max(0, Math.min(1, (THRESHOLD_BITS + 1 - bits) / (maxBlurBits + 1))),
  )
}

/** @returns for each number of chosen queries, the bits learnt, those still wrong in the best guess, and the sharp answers. */
async function curve(decoys, most) {
  const service = world()
  const copy = randomBytes(32)
  const attacker = reading({ copyBits: COPY_BITS, next: Math.random })
  const told = new Map()
  const rules = { sharp: foundAt(0), blurred: foundAt(MAX_BLUR_BITS) }
  let debt = 0
  for (let chosen = 1; chosen <= most; chosen++) {
    for (debt += decoys; debt >= 1; debt--) await service.ask('org', 'image', 20, randomBytes(32))
    const state = service.isBlurred('org') ? 'blurred' : 'sharp'
    const flips = attacker.group(SOUGHT_BITS[state])
    const hash = flipped(
      copy,
      BITS_OF.filter((bit) => flips[bit] === 1),
    )
    const answer = await service.ask('org', 'image', attacker.distanceOf(flips), hash)
    attacker.note(flips, answer !== '', rules[service.isBlurred('org') ? 'blurred' : 'sharp'])
    if (!THOUGHTS.includes(chosen)) continue
    attacker.think(chosen > 1000 ? 200 : 800)
    told.set(chosen, [attacker.learnt(), attacker.wrong(), service.tally.sharp])
  }
  await service.close()
  return told
}

async function curves() {
  const rows = {}
  for (const decoys of [0, 2.5, 20]) {
    const most = CHOSEN.at(-1)
    const all = []
    // What ten thousand queries tell is far above what a trial adds or takes.
    for (let trial = 0; trial < Number(args.trials); trial++) all.push(await curve(decoys, trial === 0 ? most : 1000))
    for (const chosen of CHOSEN) {
      const own = all.flatMap((told) => (told.has(chosen) ? [told.get(chosen)] : []))
      const mean = (i) => Number((own.reduce((sum, values) => sum + values[i], 0) / own.length).toFixed(1))
      rows[`${chosen} chosen, ${decoys} decoys each`] = {
        [`bits learnt of ${PRIOR_BITS.toFixed(0)}`]: mean(0),
        'bits wrong': mean(1),
        'sharp answers': mean(2),
      }
    }
  }
  return rows
}

const COPIES = {
  '31,521 edited copies, each of eight photographs in turn': { copies: 31_521, images: COPY_DISTANCES },
  '5,000 copies of one viral picture in a day': { copies: 5000, images: COPY_DISTANCES.slice(1, 2) },
  '5,000 of the one whose copies are most often at the edge': { copies: 5000, images: COPY_DISTANCES.slice(5, 6) },
  'one edit at 31 bits, recompressed 5,000 times': { copies: 5000, images: [[29, 30, 30, 31, 31, 31, 32, 32, 33]] },
}

async function platform({ copies, images }) {
  const service = world()
  let found = 0
  let lost = 0
  for (let i = 0; i < copies; i++) {
    const nth = i % images.length
    const distances = images[nth]
    service.clock.nowMs += DAY_MS / copies
    const bits = distances[Math.floor(Math.random() * distances.length)]
    const answer = await service.ask('org', `image ${nth}`, bits, randomBytes(32))
    if (bits > THRESHOLD_BITS) continue
    found++
    if (answer === '') lost++
  }
  await service.close()
  const { asked, us } = service.tally
  const share = `${((100 * lost) / found).toFixed(1)} %`
  return { asked, 'matches lost': lost, share, 'µs each': Number((us / asked).toFixed(2)) }
}

const searches = {}
for (const [name, options] of Object.entries(SEARCHES)) searches[name] = await search(options)
console.table(searches)
const platforms = {}
for (const [name, options] of Object.entries(COPIES)) platforms[name] = await platform(options)
console.table(platforms)
console.table(await curves())
if (Object.values(searches).some((found) => found['sharp answers'] > MAX_LEAKED_BITS)) process.exitCode = 1
