// The signed receipt of how a case ended.

import { z } from 'zod'
import { Problem } from '../../../domain/problem.js'
import { Receipt, receiptFor } from '../../../services/cases/receipts.js'
import type { Signer } from '../../../services/records/signer.js'
import { ownCaseOf } from '../../plugins/authentication.js'
import { may } from '../../problems.js'
import { CaseNumberParam } from '../../schemas.js'
import type { ZodApp } from '../../zod-app.js'

export const ReceiptBody = Receipt.meta({
  id: 'Receipt',
  description:
    'signature: Ed25519 over all other fields in the form of RFC 8785, base64url. Check it with `tabir receipts verify`, or any program that has the key from /v1/receipts/key.',
})

export interface ReceiptRouteOptions {
  readonly signer: Signer
}

export function getReceiptRoute(app: ZodApp, { signer }: ReceiptRouteOptions): void {
  app.get(
    '/cases/:caseNumber/receipt',
    {
      config: { scope: 'case' },
      schema: {
        operationId: 'getReceipt',
        summary: 'Get the receipt of a case that has ended',
        description:
          'For a withdrawn or expired case, available for 30 days after its end. Then nothing of the case is left.',
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
        summary: 'Get the public key for receipts and reports',
        description: 'Keep a copy, so that you can check a receipt even if this service no longer exists.',
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
