// Proof of work for opening a case. A browser solves one challenge in a moment; a program that opens many cases pays for each.
// Unlike a captcha it involves no third party. Unlike a limit by address it stores nothing about the caller.
//
// The challenge is an ALTCHA challenge (https://altcha.org): its widget and libraries can solve it.

import { createHmac, randomInt } from 'node:crypto'
import { createChallenge, verifySolution } from 'altcha-lib'
import { deriveKey } from 'altcha-lib/algorithms/pbkdf2'
import { Problem } from '../../domain/problem.js'
import type { Proofs } from '../../store/cases/proofs.js'

export type Challenge = Awaited<ReturnType<typeof createChallenge>>

export interface Proof {
  readonly challenge: Pick<Challenge, 'parameters' | 'signature'>
  readonly solution: { readonly counter: number; readonly derivedKey: string }
}

export interface ProofOfWork {
  /** A new challenge. It is valid for five minutes and for one case. */
  challenge(): Promise<Challenge>
  /**
   * Accepts a proof for opening a case, once per challenge, and counts the opening.
   * @throws {Problem} proof-of-work-required when the proof is missing, unsolved, not ours, too late, or used.
   */
  spend(proof: Proof | undefined): Promise<void>
}

export interface ProofParts {
  readonly proofs: Proofs
  /** Signs challenges. */
  readonly secret: Buffer
  /** Work at ordinary load, in derivations of about half a millisecond each; 0 requires no proof. */
  readonly rounds: number
  readonly now: () => number
}

const TTL_S = 300
/** Iterations of PBKDF2 per derivation. */
const COST = 1000
/** Ordinary number of cases opened per minute. Beyond it, work grows in proportion. */
const USUAL_PER_MINUTE = 30
const MAX_WORK_FACTOR = 64

export function proofOfWork({ proofs, secret, rounds, now }: ProofParts): ProofOfWork {
  const secretFor = (use: string) => createHmac('sha256', secret).update(`proof of work: ${use}`).digest('hex')
  const secrets = { hmacSignatureSecret: secretFor('challenge'), hmacKeySignatureSecret: secretFor('solution') }

  return {
    async challenge() {
      const work = rounds * workFactor(await proofs.openedLately(now()))
      return await createChallenge({
        algorithm: 'PBKDF2/SHA-256',
        cost: COST,
        counter: randomInt(Math.floor(work / 2), Math.floor(work * 1.5) + 1),
        expiresAt: Math.floor(now() / 1000) + TTL_S,
        deriveKey,
        ...secrets,
      })
    },
    async spend(proof) {
      if (rounds > 0) await useUp(proof)
      await proofs.countOpening(now())
    },
  }

  async function useUp(proof: Proof | undefined): Promise<void> {
    const { expiresAt = 0 } = proof?.challenge.parameters ?? {}
    if (proof === undefined || expiresAt * 1000 < now()) throw new Problem('proof-of-work-required')
    const { verified } = await verifySolution({ ...proof, deriveKey, ...secrets })
    const { signature } = proof.challenge
    if (!verified || signature === undefined) throw new Problem('proof-of-work-required')
    if (!(await proofs.useOnce(signature, TTL_S))) throw new Problem('proof-of-work-required')
  }
}

/** Factor on the ordinary work: 1…`MAX_WORK_FACTOR`. */
export function workFactor(openedLastMinute: number): number {
  return Math.min(MAX_WORK_FACTOR, Math.max(1, openedLastMinute / USUAL_PER_MINUTE))
}
