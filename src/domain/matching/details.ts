// The details of a registered picture, by which it is found where its hashes do not find it.

import type { DetailRows } from '../../../packages/hash/src/details/rows.js'

/** What is searched for, in the memory of every api process. */
export interface IndexedDetails extends DetailRows {
  /** 0…2³²−1. The same for pictures that hashes find in one another: what they have in common is a picture, and no decoration. */
  readonly subjectGroup: number
}
