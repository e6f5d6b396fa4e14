// The answer to one picture, as the steps of a match pass it on.

import type { Match } from './match.js'

/** The matches of a picture, before bank names are translated for the caller. */
export type Answer = readonly {
  readonly ordinal: number
  readonly imageId: string
  readonly match: Match
  /** As `isCopy`, by the distance before it was blurred or told coarsely. */
  readonly isCopy?: boolean
  /** The one view that decided (`flood.ts`). */
  readonly view?: number | undefined
  readonly areSeveral?: boolean // as `doSeveralAgree`
}[]

export interface FoundByHashes {
  readonly answer: Answer
  /** Were matches left out because there were too many? */
  readonly isTruncated: boolean
}

export const NOTHING_FOUND: FoundByHashes = { answer: [], isTruncated: false }
