// The case file: everything that the submitter or an assisting organisation may see of a case. No hashes; of organisations only the two that she knows.

import {
  type Category,
  durationSOf,
  type RegisteredImage,
  type Signal,
  type Tier,
} from '../../../packages/core/src/matching/signal.js'
import type { SignalType } from '../../../packages/core/src/matching/signal-types.js'
import type { CaseEvent } from '../../domain/cases/case-event.js'
import { countAskingPlatforms, orgsWith } from '../../domain/organisations/access.js'
import { isFound, type Listed, type Recognition, recognitionOf } from '../../domain/trust/recognition.js'
import { tierWith } from '../../domain/trust/tier.js'
import { type DisputeAnswer, NO_TRUST, NO_TRUST_STATUS, type Trust } from '../../domain/trust/trust.js'
import type { CaseEvents } from '../../store/cases/case-events.js'
import type { StoredImage } from '../../store/images/image-reads.js'
import type { Images } from '../../store/images/images.js'
import type { ApiKeys } from '../../store/organisations/api-keys.js'
import type { Trusts } from '../../store/trust/trust.js'
import type { Replica } from '../index/replica.js'
import type { Audit } from '../records/audit.js'
import type { OwnCase } from './case-access.js'
import type { Cases, CaseView } from './cases.js'
import type { KeptNotice, KeptOfCases, KeptOfImage } from './kept-of-case.js'

export interface FiledImage {
  readonly imageId: string
  readonly registeredAtMs: number
  readonly category: Category | undefined
  /** The current tier, with attestations and confirmations since the registration. */
  readonly tier: Tier
  readonly disputed: boolean
  /** The answer to the dispute, while the dispute is open. */
  readonly answer: DisputeAnswer | undefined
  /** Whether the picture itself is found now. */
  readonly matching: boolean
  /** Whether copies are found, and why not all. */
  readonly recognition: Recognition
  /** Quality of its whole `pdq`, 0…100: of the main frame of an animation, of the best frame of a video. Without one, the highest of its hashes. */
  readonly quality: number
  /** Number of hashes by type; types without hashes are left out. */
  readonly hashes: Partial<Readonly<Record<SignalType, number>>>
  /** [s] Of a video, rounded up; `undefined` for a picture. */
  readonly durationS: number | undefined
  /** Whether it was given as hashes for a case that no organisation vouches for. */
  readonly isByHashes: boolean
  /** Number of details (extended protection). */
  readonly details: number
  readonly trust: Trust
}

export interface CaseFile {
  readonly view: CaseView
  /** The oldest first. */
  readonly events: readonly CaseEvent[]
  /** Sorted by registration, oldest first. */
  readonly images: readonly FiledImage[]
}

export interface CaseFiles {
  /** Cost: opens the sealed record of each image, and searches for it among the harmless ones. @throws {Problem} index-loading, store-unavailable */
  file(own: OwnCase): Promise<CaseFile>
  /** What is kept beside the file: the notice, and of each image of the file its deadlines, appeals and recipients, in their order. */
  keptBeside(
    own: OwnCase,
    file: CaseFile,
  ): Promise<{ readonly notice: KeptNotice | undefined; readonly images: readonly KeptOfImage[] }>
  /**
   * Records in the audit log that an organisation read the file. Call it before the file is sent. A submitter's own requests are not recorded: each
   * view of the page would be an entry.
   */
  exported(own: OwnCase): Promise<void>
  events(own: OwnCase, afterId?: string): Promise<CaseEvent[]>
  /** As `CaseEvents.follow`. */
  follow(own: OwnCase, afterId: string, listener: (event: CaseEvent) => void): () => void
  /** Number of platforms that hold a key which may query or read the feed now. @throws {Problem} index-loading, store-unavailable */
  platformsAsking(): Promise<number>
  /** Number of organisations of any kind that hold a key which may read the feed now. @throws {Problem} index-loading */
  feedReaders(): number
}

export interface CaseFileParts {
  readonly cases: Pick<Cases, 'view'>
  readonly events: CaseEvents
  readonly images: Pick<Images, 'ofCase'>
  readonly trusts: Pick<Trusts, 'trustStatuses' | 'get'>
  readonly replica: Pick<Replica, 'catalogue'>
  /** As `listedAmong` of the present index. @throws {Problem} index-loading */
  readonly listedAmong: (pictures: readonly (readonly Signal[])[]) => Promise<Listed[]>
  readonly audit: Pick<Audit, 'record'>
  readonly kept: KeptOfCases
  readonly auditNameOf: (caseId: string) => Promise<string>
  readonly orgs: ApiKeys['orgs']
  readonly now: () => number
}

export function createCaseFiles(parts: CaseFileParts): CaseFiles {
  const { cases, events, images, trusts, replica, listedAmong, audit, kept, auditNameOf, orgs, now } = parts
  const keysNow = () => replica.catalogue.apiKeys.values()
  async function filedOf(stored: readonly StoredImage[]): Promise<FiledImage[]> {
    const trustStatuses = await trusts.trustStatuses(stored.map(({ id }) => id))
    const listed = await listedAmong(stored.map(({ image }) => image.signals))
    const known = await Promise.all(
      stored.map(async ({ id }, k) => (trustStatuses[k] === undefined ? NO_TRUST : (await trusts.get(id)).trust)),
    )
    return stored.map(({ id, image }, k): FiledImage => {
      const { signals, createdAtMs, category, tier, video } = image
      const { support, disputed } = trustStatuses[k] ?? NO_TRUST_STATUS
      const [trust, alike] = [known[k] ?? NO_TRUST, listed[k] ?? 'no']
      const hashes: Partial<Record<SignalType, number>> = {}
      for (const { type } of signals) hashes[type] = (hashes[type] ?? 0) + 1
      return {
        imageId: id,
        registeredAtMs: createdAtMs,
        category,
        tier: tierWith(tier, support),
        disputed,
        answer: disputed ? trust.answer : undefined,
        matching: isFound(trust, alike),
        recognition: recognitionOf(trust, alike),
        quality: qualityOf(image),
        hashes,
        durationS: durationSOf(video),
        isByHashes: image.isByHashes === true,
        details: image.details === undefined ? 0 : image.details.rows.length,
        trust,
      }
    })
  }

  return {
    async file(own) {
      const [view, all] = await Promise.all([cases.view(own), events.list(own.caseId)])
      const filed: FiledImage[] = []
      for await (const stored of images.ofCase(own.caseId)) for (const image of await filedOf(stored)) filed.push(image)
      return { view, events: all, images: filed.sort((a, b) => a.registeredAtMs - b.registeredAtMs) }
    },
    async keptBeside(own, { images: filed }) {
      const [notice, beside] = await Promise.all([kept.notice(own), kept.images(filed.map(({ imageId }) => imageId))])
      return { notice, images: beside }
    },
    async exported({ caseId, record, by }) {
      const org = by === 'organisation' ? record.assistance?.orgId : undefined
      if (org !== undefined) await audit.record('case.exported', `org:${org}`, { case: await auditNameOf(caseId) })
    },
    events: ({ caseId }, afterId) => events.list(caseId, afterId),
    follow: ({ caseId }, afterId, listener) => events.follow(caseId, afterId, listener),
    platformsAsking: async () => countAskingPlatforms(keysNow(), await orgs(), now()),
    feedReaders: () => orgsWith(keysNow(), ['feed'], now()).size,
  }
}

/**
 * A hash of the file has quality 100, and parts and further frames of an animation may have a higher quality than the whole of its main frame, which
 * comes first.
 */
function qualityOf({ signals, video }: Pick<RegisteredImage, 'signals' | 'video'>): number {
  const [main, ...others] = signals.filter(({ type, view }) => type === 'pdq' && view === 'whole')
  const best = (some: readonly Signal[]) => some.reduce((most, { quality }) => Math.max(most, quality), 0)
  if (main === undefined) return best(signals)
  return video === undefined || video.isAnimation ? main.quality : best([main, ...others])
}
