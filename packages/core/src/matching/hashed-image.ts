// The result of hashing one picture, or one video. Hashes only, no pixels.

import type { RegisteredDetails } from '../../../hash/src/details/details.js'
import type { AskedView } from '../../../hash/src/details/features.js'
import type { Hash256 } from '../../../hash/src/hash256.js'
import type { Rectangle } from '../../../hash/src/rectangle.js'
import type { View } from './signal.js'
import type { SignalType } from './signal-types.js'

export interface HashedSignal {
  readonly type: SignalType
  readonly view: View
  readonly quality: number
  /** One hash for each orientation, in the order of `orientationsOf`: all eight, or unchanged and mirrored, or unchanged only. */
  readonly hashes: readonly Hash256[]
  /**
   * Where the part lies, in fractions of the picture's sides, 0…1. Only in queries by picture, and not for whole and tilted views and further
   * frames.
   */
  readonly part?: Rectangle | undefined
  /** Queries by picture only: set for a part of a form that is not itself a form, such as a photograph. */
  readonly isPicture?: true | undefined
}

export interface HashedImage {
  /** PDQ quality of the whole picture, 0…100: how well it can be recognised. */
  readonly quality: number
  readonly signals: readonly HashedSignal[]
  /** Registration only: it is a sign or logo in a few flat colours. Too many unrelated pictures have nearly the same hash. */
  readonly isSimple?: true
  /** Queries only: it is flat and has few colours, like cards, receipts and app screens. */
  readonly isForm?: true
  /** Queries only: it shows one object on a plain ground, like pictures of goods in a shop. */
  readonly isObject?: true
  /**
   * Registration of an animation only: the frames that it would be registered by as a video, in addition to `signals`. Without frames if `signals` are
   * all that is registered of it, and that is a part.
   */
  readonly animation?: HashedVideo
  /** Registration only: present if details are to be matched too. */
  readonly details?: RegisteredDetails
  /** Queries only: the views by whose details to search. */
  readonly asked?: readonly AskedView[]
}

/** The result of hashing one video. */
export interface HashedVideo {
  readonly durationMs: number
  /** Share of the duration, 0…1, in which every frame has enough structure to be found. */
  readonly protectedShare: number
  /** By ascending time. */
  readonly frames: readonly {
    readonly atMs: number
    readonly signals: readonly HashedSignal[]
    /** As in `HashedImage`. */
    readonly isForm?: true
  }[]
  /** Present if decoding every frame would have taken too long. Then parts of the video were hashed by their key frames only. */
  readonly isKeyFramesOnly?: true
  /** Present if the video is so long that fewer frames, or fewer views of them, were chosen. */
  readonly isThinned?: true
}

/** The result of hashing a video file. */
export interface HashedVideoFile extends HashedVideo {
  /** Hashes of the whole file; MD5 in hex. */
  readonly file: { readonly sha256: Hash256; readonly md5: string }
}
