// Records which edges of an answer a query came near to, for each image, also for narrowly missed ones. The probing budget
// counts these observations.
import type { CorroboratingPair } from '../../../../packages/core/src/matching/corroborations.js'
import { EDGE_BITS, type Edge, edgeOf, isNearEdge, isSurplusClose } from '../../../../packages/core/src/matching/edges.js'
import { isEqual, nearAloneBits } from '../../../../packages/core/src/matching/grade.js'
import { type Strictness, strictnessFor } from '../../../../packages/core/src/matching/registry-size.js'
import { VIEW_NAMES } from '../../../../packages/core/src/matching/signal.js'
import { SIGNAL_TYPES, type SignalType } from '../../../../packages/core/src/matching/signal-types.js'
import type { Hash256 } from '../../../../packages/hash/src/hash256.js'
import { areWholes, type Found, wholesSurplusOf } from '../graded.js'
import { type Agreed, addDigests, type Observation, type Observed, type Plain, rank } from '../observing.js'
import { type FrameObservation, observationsOfImages, withOrder } from './observation.js'

interface Missed {
  readonly imageId: string
  readonly type: SignalType
}

interface Views {
  readonly plain: Plain
  /** Was another view or orientation about as near as the nearest? */
  readonly isTied: boolean
  readonly nearest: Found
  /** Distance of the wholes, and of the nearest other pair of views. */
  readonly wholesBits: number
  readonly othersBits: number
}

const NONE_BITS = Number.MAX_SAFE_INTEGER

/** @param thresholdBits the radius that the caller gave; `undefined` when it gave none. */
export function createObserved(thresholdBits: number | undefined, strictness: Strictness): Observed {
  const marks = new Map<number, [number, number]>()
  const mark = (image: number, type: SignalType, hash: Hash256 | undefined) => {
    const known = marks.get(image) ?? [thresholdBits ?? -1, thresholdBits ?? -1]
    marks.set(image, known)
    if (hash !== undefined) addDigests(known, type, hash)
  }
  const views = new Map<number, Views>()
  const missed = new Map<number, Missed>()
  const screened = new Map<number, Pick<Observation, 'imageId' | 'edge'>>()
  const corroborated = new Set<number>()
  const observations = new Map<number, FrameObservation>()

  return {
    forget() {
      for (const kept of [marks, views, missed, screened, corroborated, observations]) kept.clear()
    },
    seen(found) {
      const { image } = found.hit
      mark(image, found.type, found.hash)
      views.set(image, viewsWith(found, views.get(image)))
    },
    missed(image, imageId, type, hash) {
      if (!SIGNAL_TYPES[type].decidesAlone) return
      mark(image, type, hash)
      const known = missed.get(image)
      if (known === undefined || rank(type) < rank(known.type)) missed.set(image, { imageId, type })
    },
    screened(image, imageId, type, hash, edge) {
      mark(image, type, hash)
      const known = screened.get(image)?.edge
      if (known === undefined || edge !== 'none') screened.set(image, { imageId, edge })
    },
    nearlyCorroborated(image, hash) {
      mark(image, 'blockhash', hash)
      corroborated.add(image)
    },
    found(found, reported, together, agreed) {
      const { image } = found.hit
      const seen = views.get(image)
      const agreementEdge = edgeOfAgreement(agreed, seen)
      // Every part affects the agreement, also one too far away to be recorded as a view.
      if (agreementEdge !== 'none')
        for (const { type, hashes } of agreed?.signals ?? []) if (type === 'pdq-area') mark(image, type, hashes[0])
      const beside = {
        seen,
        missed: missed.get(image),
        screened: screened.get(image)?.edge,
        isCorroborationClose: corroborated.has(image),
        agreementEdge,
      }
      const { edge, isStrongClose } = edgeOfMatch({ found, reported, together }, beside, thresholdBits, strictness)
      observations.set(image, {
        observation: {
          imageId: reported.image.id,
          edge,
          distanceBits: reported.hit.distanceBits,
          marks: marks.get(image) ?? [0, 0],
          plain: seen?.plain,
          ordinals: [image],
        },
        grade: agreed?.grade,
        isStrongClose,
      })
    },
    all(reported) {
      for (const [image, { imageId, edge }] of screened) {
        if (!observations.has(image)) observations.set(image, unfound(image, { imageId, edge }, marks.get(image)))
      }
      for (const [image, { imageId }] of missed) {
        if (!observations.has(image)) observations.set(image, unfound(image, { imageId, edge: 'outer' }, marks.get(image)))
      }
      return withOrder(observationsOfImages(observations, reported))
    },
  }
}

interface AnsweredMatch {
  readonly found: Found
  readonly reported: Found
  readonly together: CorroboratingPair | undefined
}

/** What else was recorded of the image. */
interface Beside {
  readonly seen: Views | undefined
  readonly missed: Missed | undefined
  readonly screened: Edge | undefined
  readonly isCorroborationClose: boolean
  readonly agreementEdge: Edge
}

function edgeOfMatch(
  { found, reported, together }: AnsweredMatch,
  { seen, missed, screened, isCorroborationClose, agreementEdge }: Beside,
  thresholdBits: number | undefined,
  strictnessOfAll: Strictness,
): Pick<FrameObservation, 'isStrongClose'> & Pick<Observation, 'edge'> {
  const strictness = strictnessFor(strictnessOfAll, found.image)
  const { distanceBits } = reported.hit
  const togetherBits = together?.bits ?? Number.POSITIVE_INFINITY
  // Properties one by one: spreading `reported` costs a microsecond for each match.
  const measured = {
    bank: reported.bank,
    type: reported.type,
    views: reported.views,
    distanceBits,
    togetherBits,
    nearTogetherBits: together?.nearBits ?? togetherBits,
    strictness,
    isCorroborationClose,
    thresholdBits,
  }
  const isMissedFirst =
    missed !== undefined && rank(missed.type) < rank(reported.type) && !isEqual(reported.type, distanceBits)
  const own = isMissedFirst || agreementEdge === 'outer' ? 'outer' : edgeOf(measured)
  const edge = own !== 'outer' && screened === 'alone' ? 'alone' : own
  const isTied = reported === found ? seen?.isTied === true : together?.isTied === true
  const isToldByOther = together !== undefined && isToldByEither(found, strictness)
  const isInner = agreementEdge === 'inner' || (distanceBits > 0 && (isTied || isToldByOther))
  const isAtStrong = agreementEdge === 'outer' || isNearEdge(togetherBits, strictness.pairSumBits.strong)
  return { edge: edge === 'none' && isInner ? 'inner' : edge, isStrongClose: isCorroborationClose || isAtStrong }
}

/** The views of an image with one more. Of two signal types, the first in the table counts alone. */
function viewsWith(found: Found, known: Views | undefined): Views {
  if (known !== undefined && rank(known.nearest.type) < rank(found.type)) return known
  const own = { view: found.views.registered, orientation: found.orientation }
  const bits = areWholes(found.views)
    ? { wholesBits: found.hit.distanceBits, othersBits: NONE_BITS }
    : { wholesBits: NONE_BITS, othersBits: found.hit.distanceBits }
  if (known === undefined || known.nearest.type !== found.type) return { plain: own, isTied: false, nearest: found, ...bits }
  const isNearer = found.hit.distanceBits < known.nearest.hit.distanceBits
  const isApart = Math.abs(found.hit.distanceBits - known.nearest.hit.distanceBits) > EDGE_BITS
  const isSame = own.view === known.nearest.views.registered && own.orientation === known.nearest.orientation
  return {
    plain: isBefore(own, known.plain) ? own : known.plain,
    isTied: isApart || isSame ? known.isTied && !(isNearer && isApart) : true,
    nearest: isNearer ? found : known.nearest,
    wholesBits: Math.min(known.wholesBits, bits.wholesBits),
    othersBits: Math.min(known.othersBits, bits.othersBits),
  }
}

/** An image near the query that is not in the answer. */
function unfound(
  image: number,
  { imageId, edge }: Pick<Observation, 'imageId' | 'edge'>,
  marks: Observation['marks'] = [0, 0],
): FrameObservation {
  const observation = { imageId, edge, distanceBits: undefined, marks, plain: undefined, ordinals: [image] }
  return { observation, grade: undefined, isStrongClose: false }
}

function edgeOfAgreement(agreed: Agreed | undefined, seen: Views | undefined): Edge {
  if (agreed?.copySurplus !== undefined && isSurplusClose(agreed.copySurplus)) return 'outer'
  // The grade depends on whether the wholes or other views are the nearest.
  const isLower = (wholesSurplusOf(agreed?.agreement, agreed?.atMs) ?? EDGE_BITS) < EDGE_BITS
  if (isLower && seen !== undefined && Math.abs(seen.wholesBits - seen.othersBits) <= EDGE_BITS) return 'outer'
  if (agreed?.agreement === undefined) return 'none'
  const { surplusBits, evenSurplusBits } = agreed.agreement
  if (agreed.isStrong && isSurplusClose(Math.min(surplusBits, evenSurplusBits))) return 'outer'
  return agreed.agreement.isPartialClose ? 'inner' : 'none'
}

/** Is it near the distance up to which it decides alone? Beyond that, the match reports a corroborating view instead. */
function isToldByEither({ bank, type, views, hit: { distanceBits } }: Found, strictness: Strictness): boolean {
  return isNearEdge(distanceBits, nearAloneBits(bank, type, views, strictness))
}

function isBefore(one: Plain, other: Plain): boolean {
  const [a, b] = [VIEW_NAMES.indexOf(one.view), VIEW_NAMES.indexOf(other.view)]
  return a < b || (a === b && one.orientation < other.orientation)
}
