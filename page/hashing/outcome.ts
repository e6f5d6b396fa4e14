// What comes of one file that was chosen.

import type { GivenSignal, HashedVideo } from '../../packages/hash/src/hash-image.js'
import { type MediaFormat, type UnreadKind, unreadKindOf } from '../../src/domain/media/media-formats.js'

/** Why a picture cannot be protected; each has its own sentence, `run.why.…`. */
export const REASONS = [
  'not-a-picture',
  'empty',
  'too-many-pixels',
  'too-plain',
  'too-simple',
  'damaged',
  'no-memory',
  'too-slow',
  'unreadable',
  'no-program',
  'twice',
  'file-too-large',
  'server-cannot',
  'harmless',
  'refused',
  'no-room',
  'suspended',
  'video-undecodable',
  'video-damaged',
  'video-too-long',
  'video-too-large',
  'video-too-plain',
  'zip-closed',
  'zip-empty',
] as const
export type Reason = (typeof REASONS)[number]

/** A hash as the API takes it; sha256 is that of the file, where the browser computes it. */
export type FileSignal = Omit<GivenSignal, 'type'> & { readonly type: GivenSignal['type'] | 'sha256' }

/** Whether two files have exactly the same hashes. */
export function isSame(a: Hashed | HashedVideoFile, b: Hashed | HashedVideoFile): boolean {
  const [own, other] = [hashesOf(a), hashesOf(b)]
  return a.kind === b.kind && own.length === other.length && own.every((hash, k) => hash === other[k])
}

function hashesOf(file: Hashed | HashedVideoFile): string[] {
  const signals = file.kind === 'hashed' ? file.signals : file.video.frames.flatMap((frame) => frame.signals)
  return signals.map(({ hash }) => hash)
}

export interface Hashed {
  readonly kind: 'hashed'
  /** 50…100. */
  readonly quality: number
  readonly signals: readonly FileSignal[]
  /** With extended protection: base64, as `detailsOf` gives it. */
  readonly details?: string
  /** Of an animation with several different frames: these, as a video has them. */
  readonly animation?: Pick<HashedVideo, 'durationMs' | 'frames'>
  /** Of such an animation, or one that is protected in part: share of its duration in which it can be recognised, 0…1. */
  readonly protectedShare?: number
  /** It has a short video in it, as a motion photo has, which is not hashed. */
  readonly hasClip?: true
}

/** A video, by some of its frames. */
export interface HashedVideoFile {
  readonly kind: 'hashed-video'
  /** Of its best frame, 50…100. */
  readonly quality: number
  /** Share of its duration in which it can be recognised, 0…1. */
  readonly protectedShare: number
  /** As the API takes it; sha256 is that of the file, where the browser computes it. */
  readonly video: Pick<HashedVideo, 'durationMs' | 'frames'> & { readonly sha256?: string }
}

/** Why this browser cannot open a picture; `browser` when it can open none at all, `animated` when it reads one frame of it only. */
export type OpenFailure = 'format' | 'browser' | 'altered' | 'animated'

/** What the server can read although this browser cannot: a picture of a format, or a video. */
export type Sendable = MediaFormat | 'video'

/** `upload`: this browser cannot open it, and the server can. */
export type Outcome =
  | Hashed
  | HashedVideoFile
  | { readonly kind: 'upload'; readonly because: OpenFailure; readonly format: Sendable }
  | Rejected

export interface Rejected {
  readonly kind: 'rejected'
  readonly why: Reason
  /** What the file is, if it is not a picture of a known format. */
  readonly what?: UnreadKind
  /** The format, if this device has no memory for the picture but the service may read it. */
  readonly sendable?: MediaFormat
}

export function rejected(why: Reason, sendable?: MediaFormat): Rejected {
  return { kind: 'rejected', why, ...(sendable !== undefined && { sendable }) }
}

/** @param head the first bytes of a file whose format is unknown. */
export function notAPicture(head: Uint8Array): Rejected {
  if (head.length === 0) return rejected('empty')
  const what = unreadKindOf(head)
  return { ...rejected('not-a-picture'), ...(what !== undefined && { what }) }
}
