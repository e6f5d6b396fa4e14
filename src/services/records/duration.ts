// How reports, answers and webhooks say that an image is a video.

import { z } from 'zod'

export const DurationS = z.int().nonnegative().exactOptional().meta({ description: 'Length in seconds. Only for videos.' })

/** @param durationS `undefined` for a picture. */
export function durationView(durationS: number | undefined): { readonly durationS?: number } {
  return durationS === undefined ? {} : { durationS }
}
