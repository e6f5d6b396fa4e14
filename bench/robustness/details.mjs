// The second stage as the service has it: its choice of rows, its index, its finder. The counting is around it.

import { randomBytes } from 'node:crypto'
import { formatUuid } from '../../dist/packages/core/src/ids.js'
import { CASES_BANK_NAME } from '../../dist/packages/core/src/matching/bank.js'
import { detailedSize } from '../../dist/packages/hash/src/details/detailed-size.js'
import { detailsWith } from '../../dist/packages/hash/src/details/details.js'
import { askedFeatures } from '../../dist/packages/hash/src/details/kept.js'
import { meetsThreshold, verify } from '../../dist/packages/hash/src/details/verify.js'
import { loadDetailsKernelSync } from '../../dist/packages/hash/src/details-kernel.js'
import { loadFrameKernelSync } from '../../dist/packages/hash/src/frame-kernel.js'
import { Catalogue } from '../../dist/src/services/index/catalogue.js'
import { createDetailing } from '../../dist/src/services/intake/prepare-details.js'
import { createBitPermutation } from '../../dist/src/services/matching/details/bit-permutation.js'
import { createCommonRows } from '../../dist/src/services/matching/details/common-rows.js'
import { createDetailFinder } from '../../dist/src/services/matching/details/detail-finder.js'
import { decode } from '../../dist/workers/media/decode.js'

const details = detailsWith(loadDetailsKernelSync(), loadFrameKernelSync())

/** More candidates than a vote may let through, so that enough wrong ones are verified. */
const FORCED_BITS = 31
const FORCED_A_WAY = 30
const FORCED_NEEDLES = 150
const COMPACTING_STEPS = 1_000_000
const SIGNAL_TYPES = ['pdq', 'pdq-area']

/** The details that a worker finds in a picture to register. */
export async function lookAt(file) {
  return details.register(await decode(file, detailedSize))
}

export class DetailsRegistry {
  #permutation = createBitPermutation(Buffer.alloc(32, 1))
  #common = createCommonRows(this.#permutation)
  #catalogue = new Catalogue()
  #points = new Map()
  // By ordinal, the number that the picture has elsewhere; and its id by that.
  #images = []
  #ids = new Map()
  #candidates = []
  #keeping = createDetailing({
    replica: { catalogue: this.#catalogue },
    permutation: this.#permutation,
    common: this.#common,
    clock: () => performance.now(),
  })
  #finder = createDetailFinder({
    permutation: this.#permutation,
    common: this.#common,
    images: {
      points: async (ids) => {
        this.#candidates = ids
        return ids.map((id) => this.#points.get(id).points)
      },
    },
  })

  /** @param image the number that the picture has elsewhere. Each is a subject group of its own, unless `subjectGroup` is given. */
  async add(image, signals, looked, subjectGroup = image) {
    const kept = signals
      .filter(({ type }) => SIGNAL_TYPES.includes(type))
      .map(({ type, view, quality, hashes }) => ({ type, view, quality, hash: hashes[0] }))
    const { image: found, beside } = await this.#keeping.keep(kept, looked, subjectGroup)
    const id = formatUuid(randomBytes(16))
    const facts = { bank: CASES_BANK_NAME, tier: 'self-reported', category: undefined, ref: undefined, createdAtMs: 0 }
    this.#catalogue.put(id, { ...facts, signals: kept, ...found })
    this.#points.set(id, { image, points: beside.points })
    this.#ids.set(image, id)
    this.#images.push(image)
    return found.details.rows.length
  }

  /** Compacts until nothing is left to do. */
  settle() {
    while (this.#catalogue.index('detail').compact(COMPACTING_STEPS)) {}
  }

  /** @returns `images`, the accepted ones; `verified`, all candidates that were verified; and the cost. */
  async find(file) {
    return this.findIn(await decode(file, detailedSize))
  }

  /** The same for a decoded picture. */
  async findIn(pixels) {
    const begun = process.cpuUsage()
    const views = details.ask(pixels)
    const lookedMs = cpuMs(begun)
    this.#candidates = []
    const found = await this.#finder.find(views, {
      searcher: this.#catalogue.searcher(), // nothing is put while it is asked, so it need not be released
      mirrors: true,
      role: () => 'wanted',
      yieldIfNeeded: () => undefined,
    })
    const searchedMs = cpuMs(begun) - lookedMs
    const imageOf = (id) => this.#points.get(id).image
    return {
      views,
      images: found.map(({ image }) => imageOf(image.id)),
      verified: this.#candidates.map(imageOf),
      lookedMs,
      searchedMs,
    }
  }

  /**
   * Verifies pictures that did not pass the vote: those with most details within a wider radius, wherever these lie.
   *
   * @returns by picture, the most details that agree, and whether it would be shown.
   */
  lookCloser(views, isForeign) {
    const looked = new Map()
    for (const isMirrored of [false, true]) {
      const [view] = views
      if (view === undefined) break
      const asked = askedFeatures(view, isMirrored).map((feature) => ({
        ...feature,
        hash: this.#permutation.hash(feature.hash),
      }))
      const counts = new Map()
      for (let first = 0; first < FORCED_NEEDLES; first += 50) {
        const needles = asked.slice(first, Math.min(first + 50, FORCED_NEEDLES)).map(({ hash }) => hash)
        for (const hit of this.#catalogue.index('detail').within(needles, FORCED_BITS))
          counts.set(hit.image, (counts.get(hit.image) ?? 0) + 1)
      }
      const likeliest = [...counts]
        .map(([ordinal, count]) => ({ image: this.#images[ordinal], count }))
        .filter(({ image }) => isForeign(image))
        .sort((a, b) => b.count - a.count)
        .slice(0, FORCED_A_WAY)
      for (const { image } of likeliest) {
        const result = verify(this.#points.get(this.#ids.get(image)).points, asked, view)
        const known = looked.get(image)
        looked.set(image, {
          inliers: Math.max(result.inliers, known?.inliers ?? 0),
          meetsThreshold: meetsThreshold(result) || known?.meetsThreshold === true,
        })
      }
    }
    return looked
  }
}

function cpuMs(since) {
  const { user, system } = process.cpuUsage(since)
  return (user + system) / 1000
}
