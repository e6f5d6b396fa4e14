// What is counted by day: how many pictures were asked about, how near matches were, what was decided. Numbers, and nothing to join them by.

import { DISTANCE_BANDS, type DistanceBand, GRADES, type Grade } from '../matching/grade.js'
import { VERDICTS, type Verdict } from './trust.js'

/** pictures: asked about; found: those with a match that is more than `review`; then each match and each decision. */
export type DailyCount = 'pictures' | 'found' | `grade:${Grade}` | `distance:${DistanceBand}` | `verdict:${Verdict}`

export const DAILY_COUNTS: readonly DailyCount[] = [
  'pictures',
  'found',
  ...GRADES.map((grade) => `grade:${grade}` as const),
  ...DISTANCE_BANDS.map((band) => `distance:${band}` as const),
  ...VERDICTS.map((verdict) => `verdict:${verdict}` as const),
]

/** How many days are kept, today among them. */
export const COUNTED_DAYS = 90
