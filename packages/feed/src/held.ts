// The signals that a follower of the feed keeps in memory, and an exact search among them.

import { isCopy } from '../../core/src/matching/copies.js'
import { Corroborations } from '../../core/src/matching/corroborations.js'
import {
  aloneBits,
  contentOf,
  matchBits,
  maxCorroboratingBits,
  PAIR_SUM_BITS,
  widestMatchBits,
} from '../../core/src/matching/evidence.js'
import { fairShareOf } from '../../core/src/matching/share.js'
import { VIEW_NAMES, VIEWS, type View } from '../../core/src/matching/signal.js'
import { SIGNAL_TYPE_NAMES, SIGNAL_TYPES, type SignalType } from '../../core/src/matching/signal-types.js'
import { SignalIndex } from '../../core/src/search/signal-index.js'
import type { Hash256 } from '../../hash/src/hash256.js'
import { isUpright, type TransformName, transforms } from '../../hash/src/transforms.js'
import type { FedLine, HeldSignal } from './parse-lines.js'

export interface LocalMatch extends Omit<HeldSignal, 'signals'> {
  /** Only of a video: when the frame is shown that is nearest [ms]. */
  readonly atMs?: number
  /** Distance of the nearest pair of hashes. */
  readonly distanceBits: number
  readonly signalType: SignalType
  readonly view: View
}

export interface AskedSignal {
  readonly type: SignalType
  readonly hash: Hash256
  /** `whole` when left out. */
  readonly view?: View
  /** The orientation of the picture for this hash; `original` when left out. Only views of the same orientation can agree. */
  readonly transform?: TransformName
  /** 0…100, as `hashImage` gives it for this view; 100 when left out. */
  readonly quality?: number
}

/** Maximum matches of one call of `match`. */
const MAX_LOCAL_MATCHES = 100

interface Entry {
  readonly signal: HeldSignal
  /** Number of the picture or video in the indexes. Those of its frames follow it. */
  readonly ordinal: number
  /** [ms] when each of its frames is shown, ascending. */
  readonly framesAtMs: readonly number[]
  /** Whether the snapshot that is being read has named it. */
  named: boolean
}

export class Held {
  // Invariants: no ordinal is used twice. #byOrdinal has each entry of #byId by its own ordinal and by one for each of its frames; so views count as
  // agreeing only if they are of the same frame. The indexes have rows of these entries only.
  readonly #byId = new Map<string, Entry>()
  readonly #byOrdinal = new Map<number, Entry>()
  readonly #indexes = new Map<SignalType, SignalIndex>(SIGNAL_TYPE_NAMES.map((type) => [type, new SignalIndex()]))
  #nextOrdinal = 0
  #isNaming = false
  #cursor: string | undefined

  get size(): number {
    return this.#byId.size
  }

  get cursor(): string | undefined {
    return this.#cursor
  }

  /** Whether a snapshot is being read. */
  get isNaming(): boolean {
    return this.#isNaming
  }

  /** Applies one line of the feed; it takes effect at once. Apply lines in order: a cursor confirms all lines before it. */
  apply(line: FedLine): void {
    switch (line.op) {
      case 'upsert': {
        const { op: _, old, ...signal } = line
        this.#put(signal, old !== true)
        break
      }
      case 'tombstone':
        this.#remove(line.id)
        break
      case 'snapshot-begin':
        this.#isNaming = true
        for (const entry of this.#byId.values()) entry.named = false
        break
      case 'snapshot-end':
        for (const [id, { named }] of [...this.#byId]) if (this.#isNaming && !named) this.#remove(id)
        this.#isNaming = false
        break
      case 'cursor':
        this.#cursor = line.cursor
        break
    }
  }

  /** Makes the next request start a snapshot. Current signals stay until that snapshot ends; then those that it did not name are removed. */
  forgetCursor(): void {
    this.#cursor = undefined
  }

  /**
   * Finds the signals that the service would grade `near` or better.
   *
   * Compares only the hashes that are given: other orientations of the picture have to be among them.
   * @param thresholdBits replaces the service's rules for types and views: all signals within this distance match.
   * @returns each matched signal once, nearest first; of more than 100, the nearest of each bank and then the nearest of all.
   */
  match(asked: readonly AskedSignal[], thresholdBits?: number): LocalMatch[] {
    const nearest = new Map<number, LocalMatch>()
    // Matches that count only if a second pair of views agrees.
    const open = new Map<number, LocalMatch>()
    for (const { type, hash, view: askedView = 'whole', transform, quality = 100 } of asked) {
      // A type that needs a second algorithm to agree never decides here, because algorithms are not compared.
      if (thresholdBits === undefined && !SIGNAL_TYPES[type].decidesAlone) continue
      const rotated = !isUpright(orientationOf(transform))
      const content = contentOf({ quality, hashes: [hash] })
      for (const hit of this.#within(type, hash, thresholdBits ?? widestMatchBits(type, askedView, rotated))) {
        const { image, registered, distanceBits, entry } = hit
        const views = { asked: askedView, registered, rotated, content }
        if (distanceBits > (thresholdBits ?? matchBits(type, views))) continue
        if (entry.signal.narrowed && !isCopy({ signalType: type, distanceBits })) continue
        const isDecided = thresholdBits !== undefined || distanceBits <= aloneBits(type, views)
        const matches = isDecided ? nearest : open
        if (distanceBits >= (matches.get(image)?.distanceBits ?? Number.POSITIVE_INFINITY)) continue
        const { signals: _, ...facts } = entry.signal
        const atMs = entry.framesAtMs[image - entry.ordinal - 1]
        const moment = atMs === undefined ? undefined : { atMs }
        matches.set(image, { ...facts, ...moment, distanceBits, signalType: type, view: registered })
      }
    }
    const undecided = [...open].filter(([image]) => !nearest.has(image))
    if (undecided.length > 0) {
      const corroborations = this.#corroborationsOf(asked)
      for (const [image, match] of undecided) {
        const together = corroborations.together(image)
        if (together === undefined || together.bits > PAIR_SUM_BITS.match) continue
        const { type, views, distanceBits } = together.nearer
        nearest.set(image, { ...match, distanceBits, signalType: type, view: views.registered })
      }
    }
    const inOrder = [...nearestById(nearest.values())].sort(
      (a, b) => a.distanceBits - b.distanceBits || (a.id < b.id ? -1 : 1),
    )
    return [...fairShareOf(inOrder, MAX_LOCAL_MATCHES, ({ bank }) => ({ owner: bank, part: bank }))]
  }

  #corroborationsOf(asked: readonly AskedSignal[]): Corroborations {
    const corroborations = new Corroborations()
    for (const [signal, { type, hash, view = 'whole', transform }] of asked.entries()) {
      const widest = maxCorroboratingBits(type, view)
      const orientation = orientationOf(transform)
      if (widest === undefined || !isUpright(orientation)) continue
      for (const { image, registered, distanceBits } of this.#within(type, hash, widest)) {
        const views = { asked: view, registered, rotated: false }
        const isWithin = distanceBits <= matchBits(type, views)
        corroborations.note(image, { type, views, signal, orientation, hash, distanceBits, isWithin })
      }
    }
    return corroborations
  }

  *#within(type: SignalType, hash: Hash256, thresholdBits: number) {
    for (const { image, view, distanceBits } of this.#indexes.get(type)?.within([hash], thresholdBits) ?? []) {
      const registered = VIEW_NAMES.find((name) => VIEWS[name] === view)
      const entry = this.#byOrdinal.get(image)
      if (registered !== undefined && entry !== undefined) yield { image, registered, distanceBits, entry }
    }
  }

  /** All signals, each with whether the snapshot that is being read has named it. */
  *entries(): Generator<{ readonly signal: HeldSignal; readonly named: boolean }, void, void> {
    for (const { signal, named } of this.#byId.values()) yield { signal, named }
  }

  #put(signal: HeldSignal, named: boolean): void {
    this.#remove(signal.id)
    const framesAtMs = [...new Set(signal.signals.flatMap(({ atMs }) => atMs ?? []))].sort((a, b) => a - b)
    const ordinal = this.#nextOrdinal
    const entry = { signal, ordinal, framesAtMs, named }
    const ordinalAt = new Map(framesAtMs.map((atMs, frame) => [atMs, ordinal + 1 + frame]))
    this.#byId.set(signal.id, entry)
    for (const own of [ordinal, ...ordinalAt.values()]) this.#byOrdinal.set(own, entry)
    this.#nextOrdinal += 1 + framesAtMs.length
    for (const { type, view, hash, atMs } of signal.signals) {
      const owner = atMs === undefined ? ordinal : (ordinalAt.get(atMs) ?? ordinal)
      this.#indexes.get(type)?.insert(owner, VIEWS[view], hash)
    }
  }

  #remove(id: string): void {
    const entry = this.#byId.get(id)
    if (entry === undefined) return
    this.#byId.delete(id)
    const last = entry.ordinal + entry.framesAtMs.length
    for (let ordinal = entry.ordinal; ordinal <= last; ordinal++) this.#byOrdinal.delete(ordinal)
    for (const type of new Set(entry.signal.signals.map(({ type }) => type)))
      this.#indexes.get(type)?.remove(entry.ordinal, last)
  }
}

/** Keeps the nearest match of each signal: a video may match by several frames. */
function nearestById(matches: Iterable<LocalMatch>): Iterable<LocalMatch> {
  const nearest = new Map<string, LocalMatch>()
  for (const match of matches) {
    const known = nearest.get(match.id)
    if (known === undefined || match.distanceBits < known.distanceBits) nearest.set(match.id, match)
  }
  return nearest.values()
}

function orientationOf(transform: TransformName = 'original'): number {
  return transforms.findIndex(({ name }) => name === transform)
}
