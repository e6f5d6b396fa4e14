// The receipt of an ended case: how and when it ended, and how much was erased. Numbers, never a hash.

import { z } from 'zod'
import type { Signed, Signer } from '../records/signer.js'
import type { OwnCase } from './case-access.js'

/** A receipt, signed with the key of `GET /v1/receipts/key`. */
export const Receipt = z.strictObject({
  type: z.literal('tabir-receipt'),
  version: z.literal(1),
  caseNumber: z.string(),
  state: z.enum(['withdrawn', 'expired']).meta({ description: 'How the case ended.' }),
  openedAt: z.iso.datetime(),
  endedAt: z.iso.datetime(),
  images: z.int().meta({ description: 'How many images were erased.' }),
  hashes: z.int().meta({ description: 'How many hashes had been made of its images.' }),
  kept: z
    .strictObject({
      blockedImages: z.int().meta({ description: 'How many images were judged harmless before.' }),
      until: z.iso.datetime(),
    })
    .nullable()
    .meta({
      description:
        'null unless an image was judged harmless; else a keyed digest of 16 bytes of each, from which no hash can be read. It keeps every case from registering the very same picture, until then at the latest. An appeal may lift that sooner.',
    }),
  keyId: z.string(),
  signature: z.string(),
})
export type Receipt = z.infer<typeof Receipt>

/**
 * The receipt of an ended case. It is derived from the case's record, so every call returns the same bytes.
 * @returns `undefined` while the case has not ended.
 */
export function receiptFor({ caseNumber, record }: OwnCase, signer: Signer): Receipt | undefined {
  const { end, createdAtMs, hashes } = record
  if (end === undefined) return undefined
  const receipt: Signed<Omit<Receipt, 'keyId' | 'signature'>> = signer.sign({
    type: 'tabir-receipt',
    version: 1,
    caseNumber,
    state: end.as,
    openedAt: instant(createdAtMs),
    endedAt: instant(end.atMs),
    images: end.images,
    hashes,
    kept: end.blocked === undefined ? null : { blockedImages: end.blocked.images, until: instant(end.blocked.untilMs) },
  })
  return receipt
}

function instant(ms: number): string {
  return new Date(ms).toISOString()
}
