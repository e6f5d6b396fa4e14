// Registers and queries films as the service does, with its catalogue, its matcher of videos, and for stills its matcher of pictures.

import { randomBytes } from 'node:crypto'
import { formatUuid } from '../../dist/packages/core/src/ids.js'
import { CASES_BANK_NAME } from '../../dist/packages/core/src/matching/bank.js'
import { Catalogue } from '../../dist/src/services/index/catalogue.js'
import { harmlessStep } from '../../dist/src/services/matching/harmless/harmless-filter.js'
import { NO_PROBING } from '../../dist/src/services/matching/match-steps.js'
import { createMatcher } from '../../dist/src/services/matching/matcher.js'
import { createVideoMatcher } from '../../dist/src/services/matching/video/video-matcher.js'

const FACTS = { bank: CASES_BANK_NAME, tier: 'self-reported', category: undefined, ref: undefined, createdAtMs: 0 }
const OPTIONS = { orgId: 'bench', banks: undefined, thresholdBits: undefined }

export class Service {
  #replica = { catalogue: new Catalogue() }

  // Names of films by id.
  #names = new Map()

  #parts = {
    replica: this.#replica,
    matchIds: { idFor: (_, imageId) => imageId },
    viewIdOf: () => 1,
    harmless: harmlessStep,
    details: undefined,
    matchEvents: { note() {} },
    probing: NO_PROBING,
    scheduler: { yielder: () => () => undefined, atEndOfTick: queueMicrotask },
  }

  #pictures = createMatcher(this.#parts)

  #videos = createVideoMatcher(this.#parts)

  /** @param {{ durationMs: number, frames: readonly any[] }} film from `createVideoHasher`. Each film is in its own case. */
  register(name, { durationMs, frames }) {
    const id = formatUuid(randomBytes(16))
    const signals = frames.flatMap(({ signals }, frame) =>
      signals.map(({ type, view, quality, hashes: [hash] }) => ({ type, view, quality, hash, frame })),
    )
    this.#replica.catalogue.put(id, { ...FACTS, signals, video: { durationMs, framesAtMs: frames.map(({ atMs }) => atMs) } })
    this.#names.set(id, name)
  }

  /** Compacts the index, which the service does in the background. */
  settle() {
    while (this.#replica.catalogue.tidy()) {}
  }

  /** @returns the segments of each film that matches, by its name; for a still, the moment. */
  async ask({ frames }, { isStill }) {
    const [{ matches }] = isStill
      ? await this.#pictures.match(frames, { ...OPTIONS, depth: 'hashes' })
      : await this.#videos.matchVideos([{ frames }], OPTIONS)
    return new Map(matches.map((match) => [this.#names.get(match.matchId), segmentsOf(match)]))
  }
}

function segmentsOf({ segments, atMs }) {
  if (segments !== undefined) return segments
  return atMs === undefined ? [] : [{ query: spanOf(0), registered: spanOf(atMs) }]
}

function spanOf(ms) {
  return { fromMs: ms, toMs: ms }
}
