// Which radius a caller may ask with.

import { bandWithin } from '../../packages/core/src/matching/grade.js'
import type { Caller } from '../domain/organisations/access.js'

/** Rounds the threshold to a whole distance band for callers without `match:distance`, so that they cannot measure a distance with it. */
export function radiusFor({ scopes }: Caller, thresholdBits: number | undefined, bandsOnly: boolean): number | undefined {
  return thresholdBits === undefined || !bandsOnly || scopes.has('match:distance')
    ? thresholdBits
    : bandWithin(thresholdBits)
}
