// What Tabir stores of a registered image: its signals, never its pixels.

import type { Hash256 } from '../../../hash/src/hash256.js'
import { VIEW_KINDS, type ViewKind } from '../../../hash/src/views.js'
import type { IndexedDetails } from './indexed-details.js'
import type { SignalType } from './signal-types.js'

/** What a picture shows. Not only nudity. The number is the byte in stored records; never reuse one. */
export const CATEGORIES = {
  nude: 1,
  'underwear-or-swimwear': 2,
  'culturally-intimate': 3,
  'sexual-act': 4,
  synthetic: 5,
  composite: 6,
} as const
export type Category = keyof typeof CATEGORIES
export const CATEGORY_NAMES = [
  'nude',
  'underwear-or-swimwear',
  'culturally-intimate',
  'sexual-act',
  'synthetic',
  'composite',
] as const satisfies readonly Category[]

/** How well a signal is supported, weakest first. The number is the byte in stored records. */
export const TIERS = { 'self-reported': 1, 'ngo-attested': 2, 'platform-confirmed': 3, verified: 4 } as const
export type Tier = keyof typeof TIERS
export const TIER_NAMES = [
  'self-reported',
  'ngo-attested',
  'platform-confirmed',
  'verified',
] as const satisfies readonly Tier[]

/** Which part of the picture was hashed (`packages/hash/src/views.ts`). The number is the byte in stored records; never reuse one. */
export const VIEWS = { whole: 0, deframed: 1, crop: 2, piece: 3, tilted: 4 } as const satisfies Record<ViewKind, number>
export type View = ViewKind
export const VIEW_NAMES = VIEW_KINDS

export interface Signal {
  readonly type: SignalType
  readonly view: View
  /** 0…100 as PDQ measures it; 100 for types without such a measure. */
  readonly quality: number
  readonly hash: Hash256
  /** Of a video or animation: index in `framesAtMs` of the hashed frame. Absent for a signal of the whole file, and for pictures. */
  readonly frame?: number
}

/** The fields that an image has only if it is a video, or an animation with several different frames. */
export interface RegisteredVideo {
  /** Set for an animation. It is a picture by its signals of the whole file, and is found by its frames like a video, too. */
  readonly isAnimation?: true
  /** [ms] an integer, less than 2³². */
  readonly durationMs: number
  /** [ms] when each hashed frame is shown: integers, less than 2³²; at most `MAX_VIDEO_SIGNALS` of them. */
  readonly framesAtMs: readonly number[]
}

/** What is registered of a picture or video besides its hashes. */
export interface RegisteredFacts {
  /** Name of the bank it belongs to. */
  readonly bank: string
  readonly tier: Tier
  readonly category: Category | undefined
  /** The partner's own reference, opaque to Tabir. Only images of a bank have one. */
  readonly ref: string | undefined
  /** Id of its case. Absent for images of banks, and for images that older versions stored. */
  readonly caseId?: string
  readonly createdAtMs: number
  /** Only of a video or animation. */
  readonly video?: Pick<RegisteredVideo, 'durationMs' | 'isAnimation'>
  /** Set if it was given as hashes for a case that no organisation vouches for: nobody has seen that they are of one picture. */
  readonly isByHashes?: true
}

/** @returns the duration in seconds, rounded up; `undefined` for a picture or animation. */
export function durationSOf(video: RegisteredFacts['video']): number | undefined {
  return video === undefined || video.isAnimation ? undefined : Math.ceil(video.durationMs / 1000)
}

/** @returns the signals by which an image is known again: those of a picture or animation without its frames, all of a video. */
export function ownSignalsOf(signals: readonly Signal[]): readonly Signal[] {
  const ofFile = signals.filter(({ frame }) => frame === undefined)
  return ofFile.some(({ type, view }) => type === 'pdq' && view === 'whole') ? ofFile : signals
}

/** A registered picture or video. The unit of withdrawal and of matching: one image gives at most one match. */
export interface RegisteredImage extends RegisteredFacts {
  readonly signals: readonly Signal[]
  readonly video?: RegisteredVideo
  /** Only if the submitter chose extended protection. Videos have none. */
  readonly details?: IndexedDetails
}

/**
 * The signals of the file itself, followed by those of each frame, in their order. A picture has signals of the file only.
 * @throws {RangeError} for a signal of a frame that the video does not have.
 */
export function signalsByFrame({
  signals,
  video,
}: Pick<RegisteredImage, 'signals' | 'video'>): readonly (readonly Signal[])[] {
  const frames = video?.framesAtMs.length ?? 0
  if (frames === 0 && signals.every(({ frame }) => frame === undefined)) return [signals]
  const byFrame = Array.from({ length: 1 + frames }, (): Signal[] => [])
  for (const signal of signals) {
    const own = byFrame[signal.frame === undefined ? 0 : 1 + signal.frame]
    if (own === undefined) throw new RangeError('a signal of a frame that the video does not have')
    own.push(signal)
  }
  return byFrame
}

/** @returns the name with this code in a table such as `VIEWS`; `undefined` if none has it. */
export function nameOfCode<Name extends string>(
  names: readonly Name[],
  codes: Readonly<Record<Name, number>>,
  code: number,
): Name | undefined {
  return names.find((name) => codes[name] === code)
}

/**
 * @returns the view with this code.
 * @throws {RangeError} for an unknown code, which is a bug: the index holds only known views.
 */
export function viewOf(code: number): View {
  const view = nameOfCode(VIEW_NAMES, VIEWS, code)
  if (view === undefined) throw new RangeError('the index returned an unknown view')
  return view
}
