// The hashing job: fetches an image from the hand-off, has it hashed in the sandbox, sends the hashes back. Nothing of the image stays here.

import { Blocks } from '../src/handoff/blocks.js'
import type { HandoffVisit } from '../src/handoff/visit.js'
import { HashImageJob } from '../src/jobs/hash-image-job.js'
import type { Sandbox } from './sandbox.js'

/** `answered`, or `abandoned` when nobody waits any more. The latter is not a failure: the submitter was asked to send the picture again. */
export type HashImageOutcome = 'answered' | 'abandoned'

/** Safe to run twice: the second time the ticket is used. @throws {Error} when the hand-off is unreachable. */
export function hashImageHandler({
  visit,
  sandbox,
}: {
  readonly visit: Pick<HandoffVisit, 'take' | 'answer'>
  readonly sandbox: Sandbox
}) {
  const blocks = new Blocks()
  return async (data: unknown): Promise<HashImageOutcome> => {
    const { handoffUrl, ticket, purpose, details } = HashImageJob.parse(data)
    const taken = await visit.take(handoffUrl, ticket)
    if (taken === undefined) return 'abandoned'
    const image = blocks.hold(taken)
    const answer = await sandbox.hash(image.pieces, purpose, details).finally(() => image.release())
    return (await visit.answer(handoffUrl, ticket, answer)) ? 'answered' : 'abandoned'
  }
}
