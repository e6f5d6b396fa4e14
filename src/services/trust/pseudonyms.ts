// Under which name the store keeps what an organisation said or saw: not its own, and another one for each image.

import { createHmac } from 'node:crypto'

/** A keyed hash of organisation and image, so that it counts once and the store tells neither who it was nor where else he was. */
export type PseudonymOf = (orgId: string, imageId: string) => string

export function createPseudonyms(secret: Buffer): PseudonymOf {
  return (orgId, imageId) => createHmac('sha256', secret).update(`${orgId}:${imageId}`).digest('base64url').slice(0, 22)
}
