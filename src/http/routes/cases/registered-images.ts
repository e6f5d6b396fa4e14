// What the routes that add pictures and videos to a case share: outcomes and problems.

import { z } from 'zod'
import type { HashedSignal, HashedVideo } from '../../../../packages/core/src/matching/hashed-image.js'
import type { Signal } from '../../../../packages/core/src/matching/signal.js'
import { Problem } from '../../../domain/problem.js'
import type { OwnCase } from '../../../services/cases/case-access.js'
import type { NewImage, Registration } from '../../../services/intake/registration.js'
import { HashedVideoFacts } from '../../given-videos.js'
import { problemBody } from '../../problems.js'
import { PartProblem, Quality, RegisteredState } from '../../schemas.js'

/** Problems of both routes that add images. */
export const FOR_IMAGES = [
  'case-withdrawn',
  'case-expired',
  'case-full',
  'account-suspended',
  'known-harmless',
  'idempotency-key-reused',
  'idempotency-key-busy',
] as const

export const RegisteredImages = z.object({
  images: z.array(
    z.object({
      imageId: z.uuid().optional(),
      quality: Quality.optional(),
      protectedShare: HashedVideoFacts.protectedShare
        .optional()
        .meta({ description: 'Of an animation: share of its duration in which every frame can be found.' }),
      state: RegisteredState,
      problem: PartProblem,
    }),
  ),
})

/** @throws {Problem} the first refusal, if no image was registered */
export async function registerUsable(
  registration: Registration,
  own: OwnCase,
  given: readonly (UsableImage | Problem)[],
): Promise<z.infer<typeof RegisteredImages>['images']> {
  const usable = given.filter((image): image is UsableImage => !(image instanceof Problem))
  const registered = (usable.length === 0 ? [] : await registration.forCase(own, usable)).values()
  const outcomes = given.map((image) => {
    if (image instanceof Problem) return image
    const id = registered.next().value
    if (id === undefined) throw new Error('each image that can be registered has an outcome')
    if (id instanceof Problem) return id
    const { quality, protectedShare } = image
    return { imageId: id, quality, ...(protectedShare !== undefined && { protectedShare }) }
  })
  const refusal = outcomes.find((outcome) => outcome instanceof Problem)
  if (refusal !== undefined && outcomes.every((outcome) => outcome instanceof Problem)) throw refusal
  return outcomes.map((outcome) =>
    outcome instanceof Problem
      ? { state: 'refused', problem: problemBody(outcome) }
      : { ...outcome, state: registration.isSilent(outcome.imageId) ? 'held' : 'registered' },
  )
}

export type UsableImage = NewImage & {
  readonly quality: number
  /** Only of an animation that is registered as a video is, or in part. */
  readonly protectedShare?: number
}

export function signalsOfFrames(frames: HashedVideo['frames']): Signal[] {
  return frames.flatMap((own, frame) => registered(own.signals).map((signal) => ({ ...signal, frame })))
}

/** @returns the signals with the hash of the unchanged orientation. */
export function registered(signals: readonly HashedSignal[]): Signal[] {
  return signals.flatMap(({ hashes: [hash], ...rest }) => (hash === undefined ? [] : [{ ...rest, hash }]))
}
