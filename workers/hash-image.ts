// The job: fetch an image at the hand-off, have it hashed in the sandbox, bring the hashes back. Nothing of it stays here.

import { Blocks } from '../src/handoff/blocks.js'
import type { HandoffVisit } from '../src/handoff/visit.js'
import { HashImageJob } from '../src/jobs/hash-image.js'
import type { Sandbox } from './sandbox.js'

/** `answered`; `gone` when nobody waits any more, which is no fault: the submitter was told to send it again. */
export type HashImageOutcome = 'answered' | 'gone'

/** Safe to run twice: the second time the ticket is used up. @throws {Error} when the hand-off cannot be reached. */
export function hashImageHandler({ visit, sandbox }: { readonly visit: HandoffVisit; readonly sandbox: Sandbox }) {
  const blocks = new Blocks()
  return async (data: unknown): Promise<HashImageOutcome> => {
    const { handoffUrl, ticket, purpose, details } = HashImageJob.parse(data)
    const taken = await visit.take(handoffUrl, ticket)
    if (taken === undefined) return 'gone'
    const image = blocks.hold(taken)
    const answer = await sandbox.hash(image.pieces, purpose, details).finally(() => image.release())
    return (await visit.answer(handoffUrl, ticket, answer)) ? 'answered' : 'gone'
  }
}
