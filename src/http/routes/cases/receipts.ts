// Withdrawing a case, and the signed receipt that a case leaves when it has ended.

import { z } from 'zod'
import { Problem } from '../../../domain/problem.js'
import type { Cases } from '../../../services/cases/cases.js'
import { Receipt, receiptFor } from '../../../services/cases/receipts.js'
import type { Signer } from '../../../services/records/signer.js'
import { ownCaseOf } from '../../plugins/door.js'
import { may } from '../../problems.js'
import { CaseNumberParam } from '../../schemas.js'
import type { ZodApp } from '../../zod-app.js'

const ReceiptBody = Receipt.meta({
  id: 'Receipt',
  description:
    'signature: Ed25519 over everything else as RFC 8785 writes it, base64url. `tabir receipts verify` checks it, or any program with the key of /v1/receipts/key.',
})

export interface ReceiptRouteOptions {
  readonly cases: Cases
  readonly signer: Signer
}

export function withdrawCaseRoute(app: ZodApp, { cases, signer }: ReceiptRouteOptions): void {
  app.delete(
    '/cases/:caseNumber',
    {
      config: { scope: 'case' },
      schema: {
        operationId: 'withdrawCase',
        summary: 'Withdraw a case',
        description:
          'From the answer on nothing of it matches here, and within a second nowhere. Its hashes are erased. The answer is a signed receipt; asking again gives the same one.',
        tags: ['cases'],
        params: CaseNumberParam,
        response: { 200: ReceiptBody, ...may('token-missing', 'case-unknown', 'store-unavailable') },
      },
    },
    async (request) => {
      const receipt = receiptFor(await cases.withdraw(ownCaseOf(request)), signer)
      if (receipt === undefined) throw new Error('a case that was withdrawn has ended')
      return receipt
    },
  )
}

export function getReceiptRoute(app: ZodApp, { signer }: ReceiptRouteOptions): void {
  app.get(
    '/cases/:caseNumber/receipt',
    {
      config: { scope: 'case' },
      schema: {
        operationId: 'getReceipt',
        summary: 'The receipt of a case that has ended',
        description: 'Whether it was withdrawn or expired. For 30 days from its end; then nothing of the case is left.',
        tags: ['cases'],
        params: CaseNumberParam,
        response: { 200: ReceiptBody, ...may('token-missing', 'case-unknown', 'case-not-ended', 'store-unavailable') },
      },
    },
    async (request) => {
      const receipt = receiptFor(ownCaseOf(request), signer)
      if (receipt === undefined) throw new Problem('case-not-ended')
      return receipt
    },
  )
}

export function getReceiptKeyRoute(app: ZodApp, { signer }: ReceiptRouteOptions): void {
  app.get(
    '/receipts/key',
    {
      config: { scope: 'public' },
      schema: {
        operationId: 'getReceiptKey',
        summary: 'The key that receipts and reports are signed with',
        description: 'Keep a copy: with it a receipt can be checked when this service is gone.',
        tags: ['cases'],
        response: {
          200: z.object({
            jwk: z.object({
              kty: z.literal('OKP'),
              crv: z.literal('Ed25519'),
              x: z.string(),
              kid: z.string(),
              use: z.literal('sig'),
              alg: z.literal('EdDSA'),
            }),
            pem: z.string(),
          }),
          ...may(),
        },
      },
    },
    async () => ({ jwk: signer.jwk, pem: signer.pem }),
  )
}
