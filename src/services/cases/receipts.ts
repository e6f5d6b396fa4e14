// The receipt of an ended case: how and when it ended, and how much was erased. Numbers, never a hash.

import { z } from 'zod'
import { CASE_FORGOTTEN_AFTER_MS } from '../../domain/cases/case.js'
import { WITHDRAWN_KEPT_MS } from '../../store/scripts/images/fetched.js'
import type { Signed, Signer } from '../records/signer.js'
import type { OwnCase } from './case-access.js'

/** What may remain of an ended case, and where. */
export const REMAINING_CONTENT = ['hashes', 'record', 'ids'] as const
export const REMAINING_PLACES = ['withdrawals', 'record', 'files', 'logs', 'processes', 'copies', 'recipients'] as const

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
  mayRemain: z
    .array(
      z.strictObject({
        what: z.enum(REMAINING_CONTENT),
        where: z.enum(REMAINING_PLACES),
        until: z.iso.datetime().nullable(),
      }),
    )
    .meta({
      description:
        '`withdrawals`: encrypted hashes. They stay until every platform that fetched them knows of the withdrawal. `record`: the case and its time line, without hashes. `files`: encrypted hashes in old lines of the store’s files and in the snapshot of the index. They stay until the service rewrites these files. `logs`: ids of the images, without hashes, in the logs of acts, changes and withdrawals. They stay as long as the operator keeps these logs. `processes`: memory of running processes, which no query reads. `copies`: backups and replicas of the store from before the end, as long as the operator keeps them. `recipients`: platforms and services that fetched a list. until: the latest; null where this service does not decide it.',
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
    mayRemain: remaindersAfter(end.atMs),
  })
  return receipt
}

function remaindersAfter(endedAtMs: number): Receipt['mayRemain'] {
  return [
    { what: 'hashes', where: 'withdrawals', until: instant(endedAtMs + WITHDRAWN_KEPT_MS) },
    { what: 'record', where: 'record', until: instant(endedAtMs + CASE_FORGOTTEN_AFTER_MS) },
    { what: 'hashes', where: 'files', until: null },
    { what: 'ids', where: 'logs', until: null },
    { what: 'hashes', where: 'processes', until: null },
    { what: 'hashes', where: 'copies', until: null },
    { what: 'hashes', where: 'recipients', until: null },
  ]
}

function instant(ms: number): string {
  return new Date(ms).toISOString()
}
