// One file may show several pictures: the frames of an animation, a transparent picture on two backgrounds, the windows of a long screenshot.
// This module chooses which of them are hashed, and merges their hashes into those of one image. Workers and browsers both use it.

import { distance } from './hash256.js'
import type { ImageSignal, ImageSignals } from './image-hasher.js'
import type { Extent, Purpose } from './views.js'

/** Maximum frames decoded of one file. Windows are counted separately. */
export const MAX_FRAMES = 16
/** Maximum windows of one long screenshot. */
export const MAX_WINDOWS = 120
/** Maximum signals of one image, for all its frames and windows. */
export const MAX_IMAGE_SIGNALS = 192
/** Maximum frames chosen of an animation. */
export const MAX_CHOSEN_FRAMES = 8

/** Browsers show a frame with a shorter duration for `SHOWN_INSTEAD_MS`. */
const MIN_SHOWN_MS = 11
const SHOWN_INSTEAD_MS = 100

/** @returns for how long browsers show a frame of an animated picture that declares this duration. */
export function shownMs(declaredMs: number): number {
  return declaredMs < MIN_SHOWN_MS ? SHOWN_INSTEAD_MS : declaredMs
}

/** Minimum PDQ quality. A frame below it is used only if the file has no better one, so that a blank first frame cannot hide the others. */
export const MIN_USABLE_QUALITY: Readonly<Record<Purpose, number>> = { register: 50, query: 25 }
/** A hash nearer than this to an earlier one of the same type is dropped: it would match nothing more. */
const NEAR_DUPLICATE_BITS = 10

/**
 * Chooses the frames that represent an animation: the one shown longest, the first, those shown at 1/4, 1/2, 3/4 and the end, then the next longest.
 * @param durationsMs of all frames as displayed (`shownMs`), in the order in which they are shown.
 * @returns at most `MAX_CHOSEN_FRAMES` different indexes, the frame shown longest first. Empty without frames.
 */
export function chooseFrames(durationsMs: readonly number[]): number[] {
  if (durationsMs.length === 0) return []
  const longest = durationsMs.map((_, index) => index).sort((a, b) => (durationsMs[b] ?? 0) - (durationsMs[a] ?? 0) || a - b)
  const totalMs = durationsMs.reduce((sum, ms) => sum + ms, 0)
  const quarters = [0.25, 0.5, 0.75].map((share) => shownAt(durationsMs, share, totalMs))
  const chosen = new Set([longest[0] ?? 0, 0, ...quarters, durationsMs.length - 1, ...longest.slice(0, MAX_CHOSEN_FRAMES)])
  return [...chosen].slice(0, MAX_CHOSEN_FRAMES)
}

function shownAt(durationsMs: readonly number[], share: number, totalMs: number): number {
  if (totalMs <= 0) return Math.floor(share * durationsMs.length)
  let endMs = 0
  const index = durationsMs.findIndex((ms) => {
    endMs += ms
    return endMs > share * totalMs
  })
  return index < 0 ? durationsMs.length - 1 : index
}

export interface FrameMerger {
  /** How much to hash of the next frame. @param isWindow whether it shows a window of a picture that was added before. */
  extentOf(isWindow: boolean): Extent
  /**
   * Adds the hashes of the next frame, computed to the extent that `extentOf` said.
   * @param isSamePicture whether it is the picture of the frame before, shown in another way, such as on another background.
   */
  add(found: ImageSignals, extent: Extent, isSamePicture?: boolean): void
  /** Whether the main frame is known: the first whose quality is high enough. It is hashed in all its views. */
  readonly hasMain: boolean
  /**
   * @returns the image's hashes, the main frame's first. If no frame has enough quality, those of the frame with the highest. `undefined` if nothing
   *   was added.
   */
  result(): ImageSignals | undefined
}

export function createFrameMerger(purpose: Purpose): FrameMerger {
  let main: ImageSignals | undefined
  let fallback: ImageSignals | undefined
  const added: ImageSignal[] = []
  let frames = 0
  const looks = createLooks()
  return {
    extentOf: (isWindow) => (isWindow ? 'window' : main === undefined ? 'all' : 'frame'),
    add(found, extent, isSamePicture = false) {
      if (extent !== 'window' && ++frames > MAX_FRAMES) return
      if (extent !== 'window' && !isSamePicture) looks.nextPicture()
      const before = added.length
      if (extent === 'all') {
        if (found.quality >= MIN_USABLE_QUALITY[purpose]) main = found
        else if (fallback === undefined || found.quality > fallback.quality) fallback = found
        if (main !== found) return
      } else if (extent !== 'window' || !found.isForm) {
        // A window that looks like a form is left out, because windows of two chats look alike if they show only text.
        for (const signal of found.signals) {
          const isUsable = signal.quality >= MIN_USABLE_QUALITY[purpose]
          if (isUsable && isNew(signal, [...(main?.signals ?? []), ...added])) added.push(signal)
        }
      }
      if (extent === 'all' || (extent !== 'window' && added.length > before)) looks.add(found)
    },
    get hasMain() {
      return main !== undefined
    },
    result() {
      if (main === undefined) return fallback
      return { ...main, signals: [...main.signals, ...added].slice(0, MAX_IMAGE_SIGNALS), ...looks.result() }
    },
  }
}

type Looks = Pick<ImageSignals, 'isSimple' | 'isForm' | 'isObject'>

/**
 * What a file shows, by its frames that gave hashes. It is a sign if all its pictures are. If each is a form or an object, the rules for both hold
 * that occur, because a match may be by any of them. One photograph is enough for the usual rules, which find more copies.
 *
 * A picture that is shown in several ways is a sign or a form if it is one in the first way that gives hashes. It is an object if it is one in any: a
 * white shirt with a transparent ground is told from black, and a black one from white.
 */
function createLooks() {
  const pictures: Looks[] = []
  let isNext = true
  return {
    nextPicture() {
      isNext = true
    },
    add({ isSimple, isForm, isObject }: Looks) {
      const known = isNext ? undefined : pictures.pop()
      pictures.push(
        known === undefined ? { isSimple, isForm, isObject } : { ...known, isObject: known.isObject || isObject },
      )
      isNext = false
    },
    result(): Looks {
      const isAlike = pictures.every(({ isForm, isObject }) => isForm || isObject)
      return {
        isSimple: pictures.every(({ isSimple }) => isSimple),
        isForm: isAlike && pictures.some(({ isForm }) => isForm),
        isObject: isAlike && pictures.some(({ isObject }) => isObject),
      }
    },
  }
}

function isNew({ type, hashes: [hash] }: ImageSignal, known: readonly ImageSignal[]): boolean {
  if (hash === undefined) return false
  return !known.some(({ type: other, hashes: [its] }) => {
    return other === type && its !== undefined && distance(its, hash) < NEAR_DUPLICATE_BITS
  })
}
