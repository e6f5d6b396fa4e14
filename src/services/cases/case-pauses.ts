// Pauses the recognition of a case at once, and resumes it. A PIN is enough for both, because neither destroys anything: a person who lost the recovery
// code and wants everything gone pauses now and wishes the end, and what somebody else paused is resumed with one button, or by itself after `PAUSE_MS`.

import { PAUSE_MS } from '../../domain/cases/case.js'
import type { AuditActor } from '../../domain/organisations/audit.js'
import { Problem } from '../../domain/problem.js'
import type { Images } from '../../store/images/images.js'
import type { OwnCase } from './case-access.js'
import { actorOf, type CaseParts, changeIn, refuseEnded } from './case-changes.js'

export interface CasePauses {
  /**
   * Its images match nothing in this process when it returns, and in no process within one second. Images that are added later match.
   * @throws {Problem} case-withdrawn, case-expired
   */
  pause(own: OwnCase): Promise<void>
  /** Its images match again, unless something else holds them. @throws {Problem} case-withdrawn, case-expired */
  resume(own: OwnCase): Promise<void>
}

export interface CasePauseParts extends Pick<CaseParts, 'cases' | 'now'> {
  readonly images: Pick<Images, 'ofCase'>
  /** As `TrustService`. */
  readonly trust: {
    pause(imageId: string, untilS: number, by: AuditActor): Promise<unknown>
    resume(imageId: string, by: AuditActor): Promise<unknown>
  }
}

export function createCasePauses(parts: CasePauseParts): CasePauses {
  const { cases, images, trust, now } = parts

  async function each(own: OwnCase, change: (imageId: string) => Promise<unknown>): Promise<void> {
    for await (const some of images.ofCase(own.caseId)) {
      for (const { id } of some) {
        await change(id).catch((error: unknown) => {
          // An image that was judged false, or withdrawn meanwhile, matches nothing anyway.
          if (!(error instanceof Problem && MATCHES_NOTHING.includes(error.code))) throw error
        })
      }
    }
  }

  const isPaused = async ({ caseId }: OwnCase) => (await cases.get(caseId))?.pausedUntilMs !== undefined
  const resumeImages = (own: OwnCase) => each(own, (id) => trust.resume(id, actorOf(own)))

  // A pause and a resumption may go through the images at the same time. The case record says which one holds: the last one that wrote it.
  return {
    async pause(own) {
      refuseEnded(own, now())
      const untilS = Math.ceil((now() + PAUSE_MS) / 1000)
      await changeIn(parts, own.caseId, 'pause', { fields: { pausedUntilMs: untilS * 1000 }, by: actorOf(own) })
      await each(own, (id) => trust.pause(id, untilS, actorOf(own)))
      if (!(await isPaused(own))) await resumeImages(own)
    },

    async resume(own) {
      refuseEnded(own, now())
      await resumeImages(own)
      if (!(await isPaused(own))) return
      await changeIn(parts, own.caseId, 'resume', { fields: {}, without: ['pausedUntilMs'], by: actorOf(own) })
      // Images that a pause reached meanwhile.
      if (!(await isPaused(own))) await resumeImages(own)
    },
  }
}

const MATCHES_NOTHING: readonly string[] = ['signal-unknown', 'signal-invalidated']
