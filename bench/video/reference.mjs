// The rule for videos without optimizations: all pairs of frames that are near in any view, and all pairs of these. Checks the service's answers.

import { Corroborations } from '../../dist/packages/core/src/matching/corroborations.js'
import { aloneBits, contentOf, matchBits, PAIR_SUM_BITS } from '../../dist/packages/core/src/matching/evidence.js'
import { formSurplusBits } from '../../dist/packages/core/src/matching/forms.js'
import { areInLine } from '../../dist/packages/core/src/matching/frame-pair.js'
import { SignalIndex } from '../../dist/packages/core/src/search/signal-index.js'
import { orientationsOf } from '../../dist/packages/hash/src/transforms.js'
import { orientationGroupsOf } from '../../dist/src/services/matching/orientations.js'

const SEARCHED_BITS = 60 // the limit for a second view
const LINE_BITS = 56
const PARTIAL_BITS = 2
const PARTIAL = new Set(['piece', 'tilted'])

export class Reference {
  #indexes = new Map()

  // By ordinal of a frame: the film, the time, the whole PDQ, the rows, and the views of the rows by type.
  #frames = []

  /** @param {{ frames: readonly any[] }} film from `createVideoHasher`. */
  register(name, { frames }) {
    for (const { atMs, signals } of frames) {
      const frame = { name, atMs, hash: wholeOf(signals), views: new Map(), rows: [] }
      const ordinal = this.#frames.push(frame) - 1
      for (const { type, view, hashes } of signals) {
        const views = frame.views.get(type) ?? []
        frame.views.set(type, views)
        this.#index(type).insert(ordinal, views.push(view) - 1, hashes[0])
        frame.rows.push({ type, view, hash: hashes[0] })
      }
    }
  }

  /** @returns the names of the films found, sorted. */
  ask({ frames }, { isStill }) {
    const found = []
    for (const [name, pairs] of this.#pairsOf(frames, isStill)) if (isEvidence(pairs)) found.push(name)
    return found.sort()
  }

  /** @returns by film, all pairs of frames and views that are evidence alone or with another pair. */
  #pairsOf(frames, isStill) {
    const films = new Map()
    for (const { atMs: askedMs, signals, isForm } of frames) {
      const asked = wholeOf(signals)
      const { near, togetherBits } = this.#nearOf(signals, isStill)
      const surplusBits = remembered((key) => this.#formSurplusBits(signals, ...key.split(' ').map(Number)))
      for (const { image, isAlone, isWithin, isConfirming, isOfLine, orientation, hash: askedView } of near) {
        const { name, atMs: registeredMs, hash: registered } = this.#frames[image]
        const isNear = isAlone || (isWithin && isConfirming && togetherBits(image) <= PAIR_SUM_BITS.match)
        const isMatch = isNear && (!isForm || surplusBits(`${image} ${orientation}`) >= 0)
        const pairs = films.get(name) ?? []
        films.set(name, pairs)
        pairs.push({
          askedMs,
          registeredMs,
          asked,
          registered,
          askedView,
          orientation,
          isMatch,
          isOfLine: isOfLine && !isForm,
        })
      }
    }
    return films
  }

  /** The registered frames that are near to one frame. */
  #nearOf(signals, isStill) {
    const corroborations = new Corroborations()
    const near = []
    for (const [place, signal] of signals.entries()) {
      const { type, view: asked } = signal
      const content = contentOf(signal)
      for (const { orientations, rotated, hashes } of orientationGroupsOf(signal)) {
        for (const { image, view, transform, distanceBits } of this.#index(type).within(hashes, SEARCHED_BITS)) {
          const views = { asked, registered: this.#frames[image].views.get(type)[view], rotated, content }
          const isWithin = distanceBits <= matchBits(type, views)
          const [orientation, hash] = [orientations[transform], hashes[transform]]
          const found = { type, views, distanceBits, isWithin, orientation, hash }
          const isConfirming = isStill || asked !== 'tilted'
          if (!rotated && isConfirming) corroborations.note(image, { ...found, signal: place })
          const isAlone = distanceBits <= aloneBits(type, views)
          near.push({ ...found, image, isAlone, isConfirming, isOfLine: isLined(type, views, distanceBits) })
        }
      }
    }
    return { near, togetherBits: remembered((image) => corroborations.togetherBits(image)) }
  }

  /** As `formSurplusBits`, for one registered frame. */
  #formSurplusBits(signals, image, orientation) {
    const asked = signals.flatMap(({ type, view, hashes, isPicture }) => {
      const hash = hashes[orientationsOf(hashes.length).indexOf(orientation)]
      return hash === undefined ? [] : [{ type, view, hash, isPicture }]
    })
    return formSurplusBits(asked, this.#frames[image].rows)
  }

  #index(type) {
    const known = this.#indexes.get(type)
    if (known !== undefined) return known
    const made = new SignalIndex()
    this.#indexes.set(type, made)
    return made
  }
}

/** Whether it may be evidence together with another pair. */
function isLined(type, { asked, registered, rotated, content }, bits) {
  if (type !== 'pdq-area' || asked === 'crop' || rotated || content !== 'full') return false
  return bits <= LINE_BITS - (PARTIAL.has(asked) || PARTIAL.has(registered) ? PARTIAL_BITS : 0)
}

function isEvidence(pairs) {
  if (pairs.some(({ isMatch }) => isMatch)) return true
  const lined = pairs.filter(({ isOfLine }) => isOfLine)
  return lined.some((one, i) => lined.slice(0, i).some((other) => areInLine(one, other)))
}

function remembered(work) {
  const known = new Map()
  return (key) => {
    if (!known.has(key)) known.set(key, work(key))
    return known.get(key)
  }
}

function wholeOf(signals) {
  return signals.find(({ type, view }) => type === 'pdq' && view === 'whole')?.hashes[0]
}
