// The service's own catalogue and matcher, with pictures whose relations are known.

import { SIGNAL_TYPES } from '../../dist/packages/core/src/matching/signal-types.js'
import { loadImageHasherSync } from '../../dist/packages/hash/src/image-hasher.js'
import { Catalogue } from '../../dist/src/services/index/catalogue.js'
import { harmlessStep } from '../../dist/src/services/matching/harmless/harmless-filter.js'
import { createMatcher } from '../../dist/src/services/matching/matcher.js'
import { encodeImage } from '../../dist/src/store/images/image-record.js'
import { ColumnsBuilder } from '../../dist/src/store/images/reader/columns.js'
import { blockhashesOf } from '../../dist/workers/media/imghash-blockhash.js'
import { relatedTo } from './rows.mjs'

const { minQuality, minAskedQuality } = SIGNAL_TYPES.pdq
const MIN_QUALITY = { register: minQuality, query: minAskedQuality }
const hasher = loadImageHasherSync()

/** As a worker hashes it, without the file's SHA-256. `undefined` for what the service refuses because it is too plain. */
export function hashed(pixels, purpose) {
  const { quality, signals, blockTotals } = hasher.hash(pixels, purpose, pixels.aspect)
  if (quality < MIN_QUALITY[purpose]) return undefined
  const blockhash = blockTotals === undefined ? [] : [blockhash16(blockTotals, pixels, quality)]
  return [...signals, ...blockhash]
}

function blockhash16(blockTotals, pixels, quality) {
  return { type: 'blockhash', view: 'whole', quality, hashes: blockhashesOf(blockTotals, pixels) }
}

/** What is registered, in the order in which it was added: `{ name, origin, kind }`. */
export class Registered {
  #catalogue = new Catalogue()

  #columns = new ColumnsBuilder()

  pictures = []

  #ofOrigin = new Map()

  add({ name, origin, kind, place }, signals) {
    const number = this.pictures.push({ name, origin, kind, place }) - 1
    this.#ofOrigin.set(origin, [...(this.#ofOrigin.get(origin) ?? []), number])
    const id = idOf(number)
    const record = encodeImage({
      bank: 'cases',
      tier: 'self-reported',
      category: 'nude',
      ref: undefined,
      createdAtMs: 0,
      signals: signals.map(({ type, view, quality, hashes: [hash] }) => ({ type, view, quality, hash })),
    })
    this.#columns.add(Buffer.concat([id, record]), 0, id.length, id.length + record.length)
    if (this.#columns.isFull) this.#load()
  }

  #load() {
    this.#catalogue.load(this.#columns.take().columns)
  }

  /** To be called when all are added. */
  settle() {
    this.#load()
    while (this.#catalogue.tidy()) {}
    const catalogue = this.#catalogue
    this.#matcher = createMatcher({
      replica: { catalogue },
      matchIds: { idFor: (_, imageId) => imageId },
      viewIdOf: () => 1,
      harmless: harmlessStep,
      details: undefined,
      matchEvents: { note() {} },
      probing: { isOn: false, blurOf: () => undefined, count: () => undefined },
      scheduler: { yielder: () => () => undefined, atEndOfTick: queueMicrotask },
    })
  }

  #matcher

  /** @returns the matches that a platform gets: `{ registered, grade, … }` each. */
  async ask(signals, thresholdBits) {
    const [{ matches }] = await this.#matcher.match([{ signals }], { orgId: 'bench', banks: undefined, thresholdBits })
    return matches.map(({ matchId, ...match }) => ({ registered: this.pictures[numberOf(matchId)], ...match }))
  }

  /** By kind, with how many registered pictures this one makes a pair of unrelated ones. */
  pairsWith(asked) {
    const counts = new Map(this.#kinds)
    if (asked.kind === 'rows') counts.set('rows', counts.get('rows') - asked.place - 1)
    for (const number of relatedTo(asked.origin).flatMap((origin) => this.#ofOrigin.get(origin) ?? [])) {
      const { kind, place } = this.pictures[number]
      if (asked.kind !== 'rows' || place > asked.place) counts.set(kind, counts.get(kind) - 1)
    }
    return counts
  }

  get #kinds() {
    this.#counted ??= counted(this.pictures.map(({ kind }) => kind))
    return this.#counted
  }

  #counted
}

function counted(kinds) {
  const counts = new Map()
  for (const kind of kinds) counts.set(kind, (counts.get(kind) ?? 0) + 1)
  return counts
}

/** Ids whose last bytes are spread, as those of the service are. */
function idOf(number) {
  const bytes = Buffer.alloc(16)
  bytes.writeUInt32BE(number, 0)
  bytes[6] = 0x80 // version 8, and the variant
  bytes[8] = 0x80
  bytes.writeUInt32BE(Math.imul(number + 1, 0x9e3779b1) >>> 0, 12)
  return bytes
}

function numberOf(id) {
  return Number.parseInt(id.slice(0, 8), 16)
}
