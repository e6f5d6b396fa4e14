// Details (local features) of a registered picture. They find copies that its hashes miss.

import type { DetailRows } from '../../../packages/hash/src/details/rows.js'

/** Details as every api process keeps them in memory for searches. */
export interface IndexedDetails extends DetailRows {
  /**
   * 0…2³²−1. Equal for images whose hashes match one another. Details shared within a group belong to one picture and are not counted as
   * decoration.
   */
  readonly subjectGroup: number
}
