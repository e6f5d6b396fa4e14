// Registers and queries as the service does, with its worker code, catalogue, matcher and detail finder.

import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { formatUuid } from '../../dist/packages/core/src/ids.js'
import { CASES_BANK_NAME, HARMLESS_BANK_NAME } from '../../dist/packages/core/src/matching/bank.js'
import { SIGNAL_TYPES } from '../../dist/packages/core/src/matching/signal-types.js'
import { parseHash } from '../../dist/packages/hash/src/hash256.js'
import { Catalogue } from '../../dist/src/services/index/catalogue.js'
import { createDetailing } from '../../dist/src/services/intake/prepare-details.js'
import { createBitPermutation } from '../../dist/src/services/matching/details/bit-permutation.js'
import { createCommonRows } from '../../dist/src/services/matching/details/common-rows.js'
import { createDetailFinder } from '../../dist/src/services/matching/details/detail-finder.js'
import { createDetailsStep } from '../../dist/src/services/matching/details/match-by-details.js'
import { harmlessLike, harmlessStep } from '../../dist/src/services/matching/harmless/harmless-filter.js'
import { NO_PROBING } from '../../dist/src/services/matching/match-steps.js'
import { createMatcher } from '../../dist/src/services/matching/matcher.js'
import { answerFor } from '../../dist/workers/media/answer.js'

const MIN_QUALITY = { register: SIGNAL_TYPES.pdq.minQuality, query: SIGNAL_TYPES.pdq.minAskedQuality }
const FACTS = { bank: CASES_BANK_NAME, tier: 'self-reported', category: undefined, ref: undefined, createdAtMs: 0 }

/** @returns the worker's answer for a file, `{ image }`, or `{ refusal }`, the problem code of the service's answer. */
export async function hashed(bytes, purpose, wantsDetails) {
  const answer = await answerFor(bytes, purpose, wantsDetails ? 'also' : 'none')
  if ('problem' in answer) return { refusal: answer.problem }
  const { image } = answer
  if (purpose === 'register' && image.isSimple) return { refusal: 'image-too-simple' }
  return image.quality < MIN_QUALITY[purpose] ? { refusal: 'quality-too-low' } : { image }
}

/** A registry. `clear` empties it. */
export class Service {
  #permutation = createBitPermutation(Buffer.alloc(32, 1))

  #common = createCommonRows(this.#permutation)

  #replica = { catalogue: new Catalogue() }

  // The name of each picture and the points of its details, by id.
  #images = new Map()

  #detailing = createDetailing({
    replica: this.#replica,
    permutation: this.#permutation,
    common: this.#common,
    clock: () => performance.now(),
  })

  #matcher = createMatcher({
    replica: this.#replica,
    matchIds: { idFor: (_, imageId) => imageId },
    viewIdOf: () => 1,
    harmless: harmlessStep,
    details: createDetailsStep(
      createDetailFinder({
        permutation: this.#permutation,
        common: this.#common,
        images: { points: async (ids) => ids.map((id) => this.#images.get(id).points) },
      }),
    ),
    matchEvents: { note() {} },
    probing: NO_PROBING,
    scheduler: { yielder: () => () => undefined, atEndOfTick: queueMicrotask },
  })

  // Harmless pictures that `clear` keeps.
  #elements

  /** @param elements a file to import into the bank of harmless pictures; none if absent. */
  constructor(elements) {
    const lines = elements === undefined ? [] : readFileSync(elements, 'utf8').trim().split('\n')
    this.#elements = lines.map((line) => JSON.parse(line).signals.map((one) => ({ ...one, hash: parseHash(one.hash) })))
  }

  clear() {
    this.#replica.catalogue = new Catalogue()
    this.#images.clear()
    for (const signals of this.#elements) this.#putHarmless(signals)
  }

  /** @param image from `hashed`. Each picture is in its own case. */
  async register(name, { signals, details }) {
    const kept = signals.map(({ type, view, quality, hashes: [hash] }) => ({ type, view, quality, hash }))
    const found = details === undefined ? undefined : await this.#detailing.keep(kept, details, this.#images.size)
    const id = formatUuid(randomBytes(16))
    this.#replica.catalogue.put(id, { ...FACTS, signals: kept, ...found?.image })
    this.#images.set(id, { name, points: found?.beside.points })
  }

  /** Whether registration would refuse it as harmless. */
  isHarmless({ signals }) {
    const given = signals.map(({ type, view, quality, hashes: [hash] }) => ({ type, view, quality, hash }))
    return harmlessLike(this.#replica.catalogue, given) !== undefined
  }

  /** Adds the signals of an answer to the bank of harmless pictures, as an operator's import does. */
  list({ signals }) {
    const usable = signals.filter(({ type, quality }) => quality >= SIGNAL_TYPES[type].minQuality)
    this.#putHarmless(usable.map(({ type, view, quality, hashes: [hash] }) => ({ type, view, quality, hash })))
  }

  #putHarmless(signals) {
    this.#replica.catalogue.put(formatUuid(randomBytes(16)), { ...FACTS, bank: HARMLESS_BANK_NAME, signals })
  }

  /**
   * @param images from `hashed`.
   * @param depth `hashes`, or `auto`: details if hashes find nothing.
   * @returns for each image the matches that a platform gets, with the `name` of the registered picture.
   */
  async ask(images, depth) {
    const answers = await this.#matcher.match(
      images.map(({ signals, asked: views, isForm, isObject }) => ({ signals, views, isForm, isObject })),
      { orgId: 'bench', banks: undefined, thresholdBits: undefined, depth },
    )
    return answers.map(({ matches }) => matches.map((match) => ({ ...match, name: this.#images.get(match.matchId).name })))
  }
}
