// A large registry: a catalogue, a finder over it, and the details that it would read from the store.

import { randomBytes } from 'node:crypto'
import { formatUuid } from '../../dist/packages/core/src/ids.js'
import { CASES_BANK_NAME } from '../../dist/packages/core/src/matching/bank.js'
import { detailedSize } from '../../dist/packages/hash/src/details/detailed-size.js'
import { detailsWith } from '../../dist/packages/hash/src/details/details.js'
import { loadDetailsKernelSync } from '../../dist/packages/hash/src/details-kernel.js'
import { loadFrameKernelSync } from '../../dist/packages/hash/src/frame-kernel.js'
import { Catalogue } from '../../dist/src/services/index/catalogue.js'
import { createDetailing } from '../../dist/src/services/intake/prepare-details.js'
import { createBitPermutation } from '../../dist/src/services/matching/details/bit-permutation.js'
import { createCommonRows } from '../../dist/src/services/matching/details/common-rows.js'
import { createDetailFinder } from '../../dist/src/services/matching/details/detail-finder.js'
import { decode } from '../../dist/workers/media/decode.js'
import { fill, pointsOf, settle } from './filler.mjs'

const FIRST_SUBJECT_GROUP = 2 ** 31

export class World {
  permutation = createBitPermutation(Buffer.alloc(32, 1))
  catalogue = new Catalogue()
  corpus
  #details = detailsWith(loadDetailsKernelSync(), loadFrameKernelSync())
  #common = createCommonRows(this.permutation)
  #points = new Map()
  #names = new Map()
  #onCandidates = (_count) => {}
  #images
  #keeping = createDetailing({
    replica: { catalogue: this.catalogue },
    permutation: this.permutation,
    common: this.#common,
    clock: () => performance.now(),
  })
  #finder = createDetailFinder({
    permutation: this.permutation,
    common: this.#common,
    images: {
      points: async (ids) => {
        this.#onCandidates(ids.length)
        // Of a picture that only fills, those of any others: it is verified like any wrong candidate.
        return ids.map((id, i) => this.#points.get(id) ?? pointsOf(this.corpus, this.permutation, i))
      },
    },
  })

  constructor(images, folder) {
    this.corpus = fill(this.catalogue, this.permutation, images, folder)
    this.#images = images
  }

  /** What a worker does, and then an api. @returns milliseconds of each. */
  async register(name, file) {
    const pixels = await decode(file, detailedSize)
    const found = timed(() => this.#details.register(pixels))
    const keepStart = process.cpuUsage()
    const { image, beside } = await this.#keeping.keep([], found.value, FIRST_SUBJECT_GROUP + this.#names.size)
    const keptMs = cpuMs(keepStart)
    const id = formatUuid(randomBytes(16))
    const facts = { bank: CASES_BANK_NAME, tier: 'self-reported', category: undefined, ref: undefined, createdAtMs: 0 }
    this.catalogue.put(id, { ...facts, signals: [], ...image })
    this.#points.set(id, beside.points)
    this.#names.set(id, name)
    settle(this.catalogue)
    return { foundMs: found.ms, keptMs }
  }

  /** @returns the views of a queried picture, and the time to find them. */
  async look(file) {
    const pixels = await decode(file, detailedSize)
    const { value, ms } = timed(() => this.#details.ask(pixels))
    return { views: value, ms }
  }

  /** @returns names of what was found, and milliseconds until the store would be asked, and from then on. */
  async find(views) {
    let [candidates, askedAfterMs] = [0, undefined]
    const start = process.cpuUsage()
    this.#onCandidates = (count) => {
      candidates = count
      askedAfterMs = cpuMs(start)
    }
    const found = await this.#finder.find(views, {
      searcher: this.catalogue.searcher(), // nothing is put while it is asked, so it need not be released
      mirrors: true,
      role: () => 'wanted',
      yieldIfNeeded: () => undefined,
    })
    const allMs = cpuMs(start)
    const searchMs = askedAfterMs ?? allMs
    const names = found.map(({ image }) => this.#names.get(image.id) ?? 'a picture that fills')
    return { names, candidates, searchMs, verifyMs: allMs - searchMs }
  }

  /** Bytes an image. */
  memory() {
    const bytes = this.catalogue.index('detail').bytes + this.catalogue.imageBytes
    return {
      memoryBytes: bytes / (this.#images + this.#names.size),
      parts: this.catalogue.index('detail').status(24).length,
    }
  }
}

function timed(work) {
  const start = process.cpuUsage()
  const value = work()
  return { value, ms: cpuMs(start) }
}

function cpuMs(since) {
  const { user, system } = process.cpuUsage(since)
  return (user + system) / 1000
}
