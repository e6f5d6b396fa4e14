// The proof-of-work challenge for opening a case, and how its solution is sent.

import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Challenge, ProofOfWork, Proof as SentProof } from '../../../services/cases/proof-of-work.js'
import { may } from '../../problems.js'

const ChallengeView = z
  .object({
    parameters: z.object({
      algorithm: z.string(),
      nonce: z.string(),
      salt: z.string(),
      cost: z.int(),
      keyLength: z.int(),
      keyPrefix: z.string(),
      keySignature: z.string().optional(),
      expiresAt: z.int().optional(),
    }),
    signature: z.string().optional(),
  })
  .meta({ id: 'Challenge', description: 'An ALTCHA challenge. The ALTCHA library and widget can solve it.' })
const HexText = z.string().regex(/^[0-9a-f]{1,256}$/, 'must be hex')
export const Proof = z
  .strictObject({
    challenge: z.strictObject({
      parameters: z.strictObject({
        algorithm: z.string().max(32),
        nonce: HexText,
        salt: HexText,
        cost: z.int().min(1).max(1_000_000),
        keyLength: z.int().min(1).max(64),
        keyPrefix: HexText,
        keySignature: HexText.optional(),
        expiresAt: z.int().optional(),
      }),
      signature: HexText,
    }),
    solution: z.strictObject({ counter: z.int().min(0), derivedKey: HexText, time: z.number().optional() }),
  })
  .meta({ description: 'A solved challenge of this service. Required where the operator configured it.' })

export const challengeRoutes: FastifyPluginAsyncZod<{ readonly proofOfWork: ProofOfWork }> = async (
  app,
  { proofOfWork },
) => {
  app.get(
    '/cases/challenge',
    {
      config: { scope: 'public' },
      schema: {
        operationId: 'getChallenge',
        summary: 'Get a challenge to solve before opening a case',
        description: 'Valid for five minutes and one case. The difficulty rises while many cases are opened.',
        tags: ['cases'],
        response: { 200: ChallengeView, ...may('store-unavailable') },
      },
    },
    async () => presentChallenge(await proofOfWork.challenge()),
  )
}

/** Only the fields that we describe: the library may add others. */
function presentChallenge({ parameters, signature }: Challenge): z.infer<typeof ChallengeView> {
  const { algorithm, nonce, salt, cost, keyLength, keyPrefix, keySignature, expiresAt } = parameters
  return {
    parameters: {
      algorithm,
      nonce,
      salt,
      cost,
      keyLength,
      keyPrefix,
      ...(keySignature !== undefined && { keySignature }),
      ...(expiresAt !== undefined && { expiresAt }),
    },
    ...(signature !== undefined && { signature }),
  }
}

export function proofOf({ challenge, solution }: z.infer<typeof Proof>): SentProof {
  const { keySignature, expiresAt, ...rest } = challenge.parameters
  return {
    challenge: {
      parameters: {
        ...rest,
        ...(keySignature !== undefined && { keySignature }),
        ...(expiresAt !== undefined && { expiresAt }),
      },
      signature: challenge.signature,
    },
    solution: { counter: solution.counter, derivedKey: solution.derivedKey },
  }
}
