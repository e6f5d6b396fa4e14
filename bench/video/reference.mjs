// The rule for videos without what makes it fast: every pair of frames that is near in any view, and every two of these pairs. It checks the service.

import { Corroborations } from '../../dist/src/domain/matching/corroborations.js'
import {
  aloneBits,
  contentOf,
  matchBits,
  maxCorroboratingBits,
  PAIR_SUM_BITS,
} from '../../dist/src/domain/matching/evidence.js'
import { areInLine, lineBits, lineSurplusOf } from '../../dist/src/domain/matching/frame-pair.js'
import { evidenceOf } from '../../dist/src/domain/matching/lines.js'
import { SignalIndex } from '../../dist/src/search/signal-index.js'
import { orientationGroupsOf } from '../../dist/src/services/matching/orientations.js'

const PARTIAL = new Set(['piece', 'tilted'])

export class Reference {
  #indexes = new Map()

  // By ordinal: the film, the time and the whole PDQ of a frame, and by type the views of its rows.
  #frames = []

  /** @param {{ frames: readonly any[] }} film as `createVideoHasher` gives it. */
  register(name, { frames }) {
    for (const { atMs, signals } of frames) {
      const frame = { name, atMs, hash: wholeOf(signals), views: new Map() }
      const ordinal = this.#frames.push(frame) - 1
      for (const { type, view, hashes } of signals) {
        const views = frame.views.get(type) ?? []
        frame.views.set(type, views)
        this.#index(type).insert(ordinal, views.push(view) - 1, hashes[0])
      }
    }
  }

  /** @returns by the name of each film that is found, its segments. */
  ask({ frames }) {
    const found = new Map()
    for (const [name, pairs] of this.#pairsOf(frames)) if (isEvidence(pairs)) found.set(name, segmentsOf(pairs))
    return found
  }

  /** @returns by film, all pairs of frames that may count. */
  #pairsOf(frames) {
    const films = new Map()
    for (const { atMs, signals } of frames) {
      const near = this.#near(signals)
      for (const pair of near.pairs) {
        const { name, atMs: registeredMs, hash: registered } = this.#frames[pair.ordinal]
        const isMatch = pair.isAlone || (pair.isWithin && near.together(pair.ordinal) <= PAIR_SUM_BITS.match)
        const grade = isMatch ? 'near' : undefined
        if (!films.has(name)) films.set(name, [])
        films.get(name).push({ ...pair, askedMs: atMs, registeredMs, asked: wholeOf(signals), registered, grade })
      }
    }
    return films
  }

  /** What is near to one frame. */
  #near(signals) {
    const corroborations = new Corroborations()
    const pairs = []
    for (const [place, signal] of signals.entries()) {
      const { type, view } = signal
      const content = contentOf(signal)
      for (const { orientations, rotated, hashes } of orientationGroupsOf(signal)) {
        const radius = Math.max(lineBits(false), maxCorroboratingBits(type, view) ?? 0)
        for (const { image, view: row, transform, distanceBits: bits } of this.#index(type).within(hashes, radius)) {
          const views = { asked: view, registered: this.#frames[image].views.get(type)[row], rotated, content }
          const isWithin = bits <= matchBits(type, views)
          const [orientation, askedView] = [orientations[transform], hashes[transform]]
          if (!rotated)
            corroborations.note(image, {
              type,
              views,
              signal: place,
              distanceBits: bits,
              isWithin,
              orientation,
              hash: askedView,
            })
          const own = {
            ordinal: image,
            bits,
            isPartial: PARTIAL.has(view) || PARTIAL.has(views.registered),
            content,
            orientation,
            rotated,
            askedView,
          }
          pairs.push({ ...own, isWithin, isAlone: bits <= aloneBits(type, views) })
        }
      }
    }
    const sums = new Map()
    const together = (ordinal) => {
      if (!sums.has(ordinal)) sums.set(ordinal, corroborations.togetherBits(ordinal))
      return sums.get(ordinal)
    }
    return { pairs, together }
  }

  #index(type) {
    const known = this.#indexes.get(type)
    if (known !== undefined) return known
    const made = new SignalIndex()
    this.#indexes.set(type, made)
    return made
  }
}

function isEvidence(pairs) {
  if (pairs.some(({ grade }) => grade !== undefined)) return true
  const near = pairs.filter((pair) => (lineSurplusOf(pair) ?? -1) >= 0)
  return near.some((one, i) => near.slice(0, i).some((other) => areInLine(one, other)))
}

function segmentsOf(pairs) {
  const steps = evidenceOf(pairs)
  for (;;) {
    const { done, value } = steps.next()
    if (done) return value.segments
  }
}

function wholeOf(signals) {
  return signals.find(({ type, view }) => type === 'pdq' && view === 'whole')?.hashes[0]
}
