// What the export of a case says of an image and of organisations.

import { z } from 'zod'
import { TIER_NAMES } from '../../../../packages/core/src/matching/signal.js'
import { APPEAL_STATES } from '../../../domain/cases/appeal.js'
import { platformBucket } from '../../../domain/cases/case-event.js'
import { STAGES } from '../../../domain/cases/sla.js'
import { RECOGNITIONS } from '../../../domain/trust/recognition.js'
import { DISPUTE_ANSWERS, DISPUTE_REASONS, DISPUTE_STATES, type Trust } from '../../../domain/trust/trust.js'
import { VERDICTS } from '../../../domain/trust/verdict.js'
import type { FiledImage } from '../../../services/cases/case-file.js'
import type { KeptOfImage } from '../../../services/cases/kept-of-case.js'
import { DurationS, durationView } from '../../../services/records/duration.js'
import { CategoryName, Instant, instant, instantOrNull, Quality, SignalTypeName } from '../../schemas.js'
import { Platforms } from './case-schemas.js'
import { LawName } from './notices.js'

export const Contact = {
  contact: z.string().nullable().meta({
    description: 'The organisation through which she can be reached. It sees overdue deadlines of the case.',
  }),
}
export const FeedReaders = Platforms.meta({
  description:
    'How many organisations hold a key that may read the feed now. Each may have a copy of the hashes of every image with `inFeed`, and may keep it.',
})

export const FiledImageView = z.object({
  imageId: z.uuid(),
  registeredAt: Instant,
  category: CategoryName.nullable(),
  tier: z.enum(TIER_NAMES),
  disputed: z.boolean().meta({ description: 'A dispute is open.' }),
  answer: z.enum(DISPUTE_ANSWERS).nullable().meta({ description: 'The answer to the dispute.' }),
  matching: z.boolean().meta({ description: 'Whether the picture itself is recognised now.' }),
  recognition: z.enum(RECOGNITIONS).meta({
    description:
      'Which copies are recognised, and why not all. full: all. decoration: some parts are not compared, because unrelated pictures share them. narrowed: only nearly unchanged copies. listed: an operator listed it or a similar picture as harmless; copies may be missed. paused, held: none. judged: none, because a dispute was upheld. mistake: none, after the answer added-by-mistake. Against listed and judged you can appeal.',
  }),
  quality: Quality,
  hashes: z.partialRecord(SignalTypeName, z.int()).meta({ description: 'How many of each type.' }),
  details: z.int().meta({ description: 'How many details by which it is searched for (extended protection).' }),
  givenAsHashes: z.boolean().meta({ description: 'By a device, for a case that no organisation vouches for.' }),
  durationS: DurationS,
  dispute: z
    .object({
      state: z.enum(DISPUTE_STATES).exclude(['none']),
      reasons: z.array(z.enum(DISPUTE_REASONS)),
      openedAt: Instant.nullable(),
      decidedAt: Instant.nullable(),
      answer: z.enum(DISPUTE_ANSWERS).nullable(),
      settled: z.array(z.enum(DISPUTE_REASONS)).meta({ description: 'Rejected: they cannot be raised again.' }),
    })
    .nullable()
    .meta({ description: 'The last dispute, also once it was decided.' }),
  appeal: z.enum(APPEAL_STATES).nullable().meta({ description: 'An appeal about this image.' }),
  verdicts: z.record(z.enum(VERDICTS), Platforms).meta({ description: 'The last one of each organisation.' }),
  attestations: Platforms,
  verifiedAt: Instant.nullable().meta({ description: 'When the operator verified it.' }),
  heldSince: Instant.nullable().meta({ description: 'Since when it waits for the operator: see `recognition`.' }),
  deadlines: z
    .array(
      z.object({
        law: LawName,
        stage: z.enum(STAGES),
        running: Platforms,
        nextDueAt: Instant.nullable().meta({ description: 'When the first of the running ones is due.' }),
        met: Platforms,
      }),
    )
    .meta({ description: 'Deadlines that matches started under the notice, over all platforms.' }),
  recipients: z
    .object({
      told: Platforms.meta({ description: 'Asked with a copy, and got a match. They receive no hash.' }),
      watching: Platforms.meta({ description: 'Asked before the registration, and were told afterwards. No hash.' }),
      inFeed: z.boolean().meta({ description: 'Its hashes are given to `feedReaders`; who read them is not kept.' }),
      fetched: Platforms.meta({ description: "Fetched hashes through StopNCII's interface." }),
      systems: Platforms.meta({ description: 'Other systems (HMA) with a copy that this service removes at the end.' }),
    })
    .meta({ description: 'How many organisations received something of this image. They are not named.' }),
})

export function presentImage(
  { registeredAtMs, category, answer, durationS, isByHashes, trust, ...rest }: FiledImage,
  kept: KeptOfImage | undefined,
): z.infer<typeof FiledImageView> {
  const { told = 0, watching = 0, fetched = 0, systems = 0, isWaiting = true } = kept?.recipients ?? {}
  return {
    ...rest,
    registeredAt: instant(registeredAtMs),
    category: category ?? null,
    answer: answer ?? null,
    givenAsHashes: isByHashes,
    ...durationView(durationS),
    ...presentTrust(trust),
    appeal: kept?.appeal ?? null,
    deadlines: (kept?.deadlines ?? []).map(({ law, stage, running, nextDueAtMs, met }) => ({
      law,
      stage,
      running: platformBucket(running),
      nextDueAt: instantOrNull(nextDueAtMs),
      met: platformBucket(met),
    })),
    recipients: {
      told: platformBucket(told),
      watching: platformBucket(watching),
      inFeed: !isWaiting,
      fetched: platformBucket(fetched),
      systems: platformBucket(systems),
    },
  }
}

function presentTrust({ dispute, reasons, settled, answer, verdicts, attestedBy, ...at }: Trust) {
  const said = (wanted: (typeof VERDICTS)[number]) =>
    platformBucket(verdicts.filter(({ verdict }) => verdict === wanted).length)
  return {
    dispute:
      dispute === 'none'
        ? null
        : {
            state: dispute,
            reasons: [...reasons],
            openedAt: instantOrNull(at.disputedAtMs),
            decidedAt: instantOrNull(at.decidedAtMs),
            answer: answer ?? null,
            settled: [...settled],
          },
    verdicts: {
      blocked: said('blocked'),
      'not-blocked': said('not-blocked'),
      'pending-review': said('pending-review'),
      disputed: said('disputed'),
      'auto-blocked': said('auto-blocked'),
    },
    attestations: platformBucket(attestedBy.length),
    verifiedAt: instantOrNull(at.verifiedAtMs),
    heldSince: instantOrNull(at.heldAtMs),
  }
}
