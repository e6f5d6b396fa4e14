// Pseudonyms under which the store keeps an organisation's verdicts and matches, a different one for each image.

import { createHmac } from 'node:crypto'

/**
 * A keyed hash of organisation and image, 22 characters. With it an organisation is counted once per image, and a reader of the store learns neither
 * which organisation it is nor which other images it matched.
 */
export type PseudonymOf = (orgId: string, imageId: string) => string

export function createPseudonyms(secret: Buffer): PseudonymOf {
  return (orgId, imageId) => createHmac('sha256', secret).update(`${orgId}:${imageId}`).digest('base64url').slice(0, 22)
}
