// A registry of view sets: the service's catalogue, filled as a start fills it, and its matcher over it.

import { randomBytes } from 'node:crypto'
import { closeSync, openSync, readSync } from 'node:fs'
import { formatUuid } from '../../dist/packages/core/src/ids.js'
import { CASES_BANK_NAME } from '../../dist/packages/core/src/matching/bank.js'
import { ROW_TYPES, SIGNAL_TYPES, signalTypeOf } from '../../dist/packages/core/src/matching/signal-types.js'
import { HASH_BYTES } from '../../dist/packages/hash/src/hash256.js'
import { Catalogue } from '../../dist/src/services/index/catalogue.js'
import { harmlessStep } from '../../dist/src/services/matching/harmless/harmless-filter.js'
import { NO_PROBING } from '../../dist/src/services/matching/match-steps.js'
import { createMatcher } from '../../dist/src/services/matching/matcher.js'
import { progress } from '../report.mjs'
import { ROW_BYTES } from './view-sets.mjs'

const READ_ROWS = 32_768
const TIER = 1
const FACTS = { bank: CASES_BANK_NAME, tier: 'self-reported', category: undefined, ref: undefined, createdAtMs: 0 }

/** As an operator starts it: every organisation's answers, without a guard against probing. */
const ASKING = { orgId: 'bench', banks: undefined, thresholdBits: undefined, depth: 'hashes' }

export class Registry {
  catalogue = new Catalogue()
  rows = 0
  pictures = 0
  /** Of known pictures, by name. */
  ordinals = new Map()
  #names = new Map()
  #matcher = createMatcher({
    replica: { catalogue: this.catalogue },
    matchIds: { idFor: (_, imageId) => imageId },
    viewIdOf: () => 1,
    harmless: harmlessStep,
    details: undefined,
    matchEvents: { note() {} },
    probing: NO_PROBING,
    scheduler: { yielder: () => () => undefined, atEndOfTick: queueMicrotask },
  })

  /** Adds view sets until there are at least so many rows. @returns whether there were enough. */
  fill(paths, rows) {
    const draw = progress('filling', rows)
    for (const [number, path] of paths.entries()) {
      if (this.rows >= rows) break
      eachBatch(path, (pictures) => {
        this.catalogue.load(columnsOf(pictures, number, this.pictures))
        this.pictures += pictures.length
        this.rows += pictures.reduce((sum, { length }) => sum + length / ROW_BYTES, 0)
        draw(this.rows)
        return this.rows < rows
      })
    }
    this.#settle()
    return this.rows >= rows
  }

  /** @param signals as a worker gives them when registering. */
  add(name, signals) {
    const id = formatUuid(randomBytes(16))
    const kept = signals.map(({ type, view, quality, hashes: [hash] }) => ({ type, view, quality, hash }))
    this.catalogue.put(id, { ...FACTS, signals: kept })
    this.#names.set(id, name)
    this.ordinals.set(name, this.pictures)
    this.rows += kept.length
    this.pictures++
    this.#settle()
  }

  /** @returns the matches that a platform gets for one picture, each with the `name` of a registered photograph. */
  async ask({ signals, isForm = false }) {
    const [{ matches }] = await this.#matcher.match([{ signals, isForm }], ASKING)
    return matches.map((match) => ({ ...match, name: this.#names.get(match.matchId) }))
  }

  /** [bytes] an api keeps for a picture. */
  get bytesPerPicture() {
    const indexes = ROW_TYPES.reduce((sum, type) => sum + this.catalogue.index(type).bytes, 0)
    return (indexes + this.catalogue.imageBytes) / this.pictures
  }

  #settle() {
    while (this.catalogue.tidy()) {
      // until every row has its place
    }
  }
}

/** Calls `take` with the bytes of some pictures each time, until it returns false. */
export function eachBatch(path, take) {
  const file = openSync(path, 'r')
  const buffer = Buffer.alloc(READ_ROWS * ROW_BYTES)
  let kept = 0
  try {
    for (;;) {
      const read = readSync(file, buffer, kept, buffer.length - kept, null)
      const end = kept + read - ((kept + read) % ROW_BYTES)
      const pictures = picturesIn(buffer.subarray(0, end))
      // The last one may go on in what was not read yet.
      const last = read > 0 && pictures.length > 1 ? pictures.pop() : undefined
      if (pictures.length === 0 || !take(pictures) || read === 0) return
      kept = kept + read - (last === undefined ? end : end - last.length)
      buffer.copyWithin(0, end - (last?.length ?? 0), end - (last?.length ?? 0) + kept)
    }
  } finally {
    closeSync(file)
  }
}

function picturesIn(bytes) {
  const starts = []
  for (let at = 0; at < bytes.length; at += ROW_BYTES) if (bytes[at] === SIGNAL_TYPES.pdq.code) starts.push(at)
  return starts.map((start, i) => bytes.subarray(start, starts[i + 1] ?? bytes.length))
}

/** What a reader of the store gives (src/store/images/reader/columns.ts). */
function columnsOf(pictures, turn, first) {
  const images = pictures.length
  const rows = Object.fromEntries(ROW_TYPES.map((type) => [type, { owners: [], views: [], hashes: [] }]))
  for (const [image, bytes] of pictures.entries()) {
    for (let at = 0; at < bytes.length; at += ROW_BYTES) {
      const { owners, views, hashes } = rows[signalTypeOf(bytes[at])]
      owners.push(image)
      views.push(bytes[at + 1])
      hashes.push(bytes.subarray(at + 2, at + 2 + HASH_BYTES))
    }
  }
  const ids = Buffer.alloc(16 * images)
  for (let image = 0; image < images; image++) {
    ids.writeUInt32BE(turn + 1, 16 * image)
    ids.writeUInt32BE(first + image, 16 * image + 4) // each is a case of its own
    ids.writeUInt32BE(first + image, 16 * image + 12)
  }
  const packed = ({ owners, views, hashes }) => ({
    count: owners.length,
    owners: Uint16Array.from(owners),
    views: Uint8Array.from(views),
    qualities: new Uint8Array(owners.length).fill(100),
    hashes: new Uint8Array(Buffer.concat(hashes)),
  })
  return {
    images,
    ids,
    tiers: new Uint8Array(images).fill(TIER),
    categories: new Uint8Array(images),
    banks: new Uint16Array(images),
    bankNames: [CASES_BANK_NAME],
    frameCounts: new Uint16Array(images),
    framesAtMs: new Uint32Array(),
    signals: Object.fromEntries(Object.entries(rows).map(([type, columns]) => [type, packed(columns)])),
    heads: packed({ owners: [], views: [], hashes: [] }),
  }
}
