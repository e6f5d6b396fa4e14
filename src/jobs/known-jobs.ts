// Leaves jobs of another version to other processes. Only for processes that do jobs: it loads BullMQ, which the api loads when it is asked for first.

import { DelayedError, type Job } from 'bullmq'
import { isKnownVersion, UnknownVersion } from '../domain/message-version.js'

/** A job that a process could not read may be taken again after this long, the next time after twice as long, and so on. */
const LEFT_FOR_MS = 1000
/** They take 21 minutes: nobody waits for the answer to a picture or video any longer. */
const MAX_LEFT = 50
/** As long. */
const MAX_PUT_OFF_MS = 21 * 60_000

/** A job that has to wait although a worker is free. It is tried again in a second. */
export class NotNow extends Error {}

/**
 * @param handle throws `UnknownVersion` for a job that another process has to do.
 * @param failed what Redis keeps of an error. Its own message may contain a stranger's text.
 */
export function knownJobs<Data, T>(handle: (data: Data, name: string) => Promise<T>, failed: string) {
  return async (job: Job<Data>, token?: string): Promise<T> => {
    let delayMs: number
    try {
      if (!isKnownVersion(job.name.split('@')[1])) throw new UnknownVersion()
      return await handle(job.data, job.name)
    } catch (error) {
      const isLeft = error instanceof UnknownVersion && job.attemptsStarted <= MAX_LEFT
      const isPutOff = error instanceof NotNow && Date.now() - job.timestamp < MAX_PUT_OFF_MS
      if (!isLeft && !isPutOff) throw new Error(failed)
      delayMs = isLeft ? LEFT_FOR_MS * job.attemptsStarted : LEFT_FOR_MS
    }
    await job.moveToDelayed(Date.now() + delayMs, token)
    throw new DelayedError()
  }
}
