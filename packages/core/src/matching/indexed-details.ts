// Details (local features) of a registered picture. They find copies that its hashes miss.

import type { DetailRows } from '../../../hash/src/details/rows.js'

/** Details as every api process keeps them in memory for searches. */
export interface IndexedDetails extends DetailRows {
  /**
   * 0…2³²−1. Images whose hashes match one another show one picture and have the same number. Details that they share do not count as decoration.
   */
  readonly subjectGroup: number
}
