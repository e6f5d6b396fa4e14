// What hashing gives for one picture. Hashes only.

import type { RegisteredDetails } from '../../../packages/hash/src/details/details.js'
import type { AskedView } from '../../../packages/hash/src/details/features.js'
import type { Hash256 } from '../../../packages/hash/src/hash256.js'
import type { View } from './signal.js'
import type { SignalType } from './signal-types.js'

export interface HashedSignal {
  readonly type: SignalType
  readonly view: View
  readonly quality: number
  /**
   * The hash of the picture as it is, then under the seven other `transforms`; or as it is and mirrored; or one alone: see
   * `orientationsOf`.
   */
  readonly hashes: readonly Hash256[]
}

export interface HashedImage {
  /** PDQ's 0…100 of the whole picture: how well it can be recognised. */
  readonly quality: number
  readonly signals: readonly HashedSignal[]
  /** Of a picture that is to be registered: a sign in a few flat colours, which too many others look like. */
  readonly isSimple?: true
  /** Of a picture that is asked about: flat and of few colours, as cards, receipts and screens of apps are. */
  readonly isForm?: true
  /** Of a picture that is to be found by its details as well. */
  readonly details?: RegisteredDetails
  /** Of a picture that is asked about by its details as well: its views. */
  readonly asked?: readonly AskedView[]
}
