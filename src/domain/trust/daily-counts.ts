// What daily statistics count: query pictures and videos, distances, grades and verdicts. Only numbers are stored, nothing that links them.

import { DISTANCE_BANDS, type DistanceBand, GRADES, type Grade } from '../../../packages/core/src/matching/grade.js'
import { VERDICTS, type Verdict } from './verdict.js'

/** `pictures`, `videos`: those of queries. `found`: those with a match better than `review`. The others count each match or each verdict. */
export type DailyCount =
  | 'pictures'
  | 'videos'
  | 'found'
  | `grade:${Grade}`
  | `distance:${DistanceBand}`
  | `verdict:${Verdict}`

export const DAILY_COUNTS: readonly DailyCount[] = [
  'pictures',
  'videos',
  'found',
  ...GRADES.map((grade) => `grade:${grade}` as const),
  ...DISTANCE_BANDS.map((band) => `distance:${band}` as const),
  ...VERDICTS.map((verdict) => `verdict:${verdict}` as const),
]

/** How many days are kept, including today. */
export const COUNTED_DAYS = 90
