// The shapes that routes share, parsed once at the edge.

import { z } from 'zod'
import { BANK_NAME_PATTERN, BANK_REF_PATTERN } from '../../packages/core/src/matching/bank.js'
import { DISTANCE_BANDS, GRADES, INLIER_BANDS } from '../../packages/core/src/matching/grade.js'
import { SIGNAL_HASH_PATTERN } from '../../packages/core/src/matching/hash-text.js'
import { GRADINGS } from '../../packages/core/src/matching/registry-size.js'
import { CATEGORY_NAMES, TIER_NAMES, VIEW_NAMES } from '../../packages/core/src/matching/signal.js'
import { ROW_TYPES, SIGNAL_TYPE_NAMES, SIGNAL_TYPES } from '../../packages/core/src/matching/signal-types.js'
import { MAX_ASKED_BYTES, MAX_REGISTERED_BYTES } from '../../packages/hash/src/details/written.js'
import { MAX_FRAMES, MAX_IMAGE_SIGNALS } from '../../packages/hash/src/file-frames.js'
import { HASH_PATTERN } from '../../packages/hash/src/hash256.js'
import { transforms } from '../../packages/hash/src/transforms.js'
import { DEPTHS } from '../services/matching/match.js'
import { ProblemBody } from './problems.js'

export const HashText = z
  .string()
  .regex(HASH_PATTERN, 'must be 64 lowercase hex digits')
  .meta({
    description: '256 bits as 64 lowercase hex digits, the most significant first.',
    example: 'f'.repeat(32) + '0'.repeat(32),
  })

/** The hash of a signal; the number of digits depends on its type. */
export const SignalHashText = z
  .string()
  .regex(SIGNAL_HASH_PATTERN, 'must be 64 lowercase hex digits, or 32 of video_md5')
  .meta({
    description: '64 lowercase hex digits, the most significant first; 32 for `video_md5`.',
    example: 'f'.repeat(32) + '0'.repeat(32),
  })

export const SignalTypeName = z.enum(SIGNAL_TYPE_NAMES)
export const CategoryName = z.enum(CATEGORY_NAMES).meta({ description: 'What the picture shows.' })
export const ViewName = z.enum(VIEW_NAMES).meta({
  description:
    'The part of the picture that was hashed: the whole; the picture without its frame; a crop; a piece (a half or a quarter); or the picture rotated a little and cut straight.',
})
export const Quality = z.int().min(0).max(100).meta({
  description: "PDQ's measure of detail. Registration requires 50, a query 25.",
})
export const IsForm = z.literal(true)
export const IsObject = z.literal(true)
/** Maximum of a stored record. */
export const MAX_REF_BYTES = 255

export const GivenRef = z
  .string()
  .min(1)
  .max(200)
  .refine((ref) => Buffer.byteLength(ref) <= MAX_REF_BYTES, `must have at most ${MAX_REF_BYTES} bytes of UTF-8`)
  .meta({
    description: `Your own reference, opaque to us, never shown to other organisations. At most ${MAX_REF_BYTES} bytes of UTF-8.`,
  })
export const BankName = z
  .string()
  .regex(BANK_NAME_PATTERN, 'must be 1 to 63 letters, digits, _ or -, and not 43, which a hash has')
/** A bank by its name, or by its exact name if several banks have the same name. */
export const BankRef = z.string().regex(BANK_REF_PATTERN, 'must be the name of a bank as answers have it')
export const Instant = z.iso.datetime().meta({ description: 'RFC 3339, UTC.' })

/** How an answer says that a registered image is a video. */

/** A time in the form of `Instant`. */
export function instant(ms: number): string {
  return new Date(ms).toISOString()
}

export function instantOrNull(ms: number | undefined): string | null {
  return ms === undefined ? null : instant(ms)
}

const WIDEST_BITS = Math.max(...SIGNAL_TYPE_NAMES.map((name) => SIGNAL_TYPES[name].maxThresholdBits))
export const ThresholdBits = z.int().min(0).max(WIDEST_BITS).meta({
  description:
    'Radius in bits, inclusive, instead of the thresholds of the banks. Each signal type has a maximum. A match beyond the threshold of its bank has the grade `review`.',
})

/** The choice made when a case is opened. */
export const ExtendedProtection = z.boolean().default(false).meta({
  description:
    'Also keep details of the pictures, to find copies that hashes miss: under stickers, deep crops and screenshots. Details reveal more about a picture than hashes do. They are erased with the case. Refused with extended-protection-off where the service does not offer it.',
})

/** A signal that the submitter's own device computed. */
export const GivenSignal = z.strictObject({
  type: SignalTypeName,
  hash: SignalHashText,
  quality: Quality,
  view: ViewName.optional(),
})

/** The signals of one file. An animation has a whole view for each of its frames. */
export const GivenImageSignals = z
  .array(GivenSignal)
  .min(1)
  .max(MAX_IMAGE_SIGNALS + 2)
  .refine(hasFewWholes, `must have at most ${MAX_FRAMES} whole views of each type`)

function hasFewWholes(signals: readonly z.infer<typeof GivenSignal>[]): boolean {
  const types = signals.filter(({ view = 'whole' }) => view === 'whole').map(({ type }) => type)
  return SIGNAL_TYPE_NAMES.every((name) => types.filter((type) => type === name).length <= MAX_FRAMES)
}

/** Details that the submitter's own device found. */
export const GivenDetails = z
  .base64()
  .max(Math.ceil(MAX_REGISTERED_BYTES / 3) * 4)
  .meta({
    description: 'Details of the picture, for a case with extended protection: base64, from `detailsOf` of `@tabir/hash`.',
  })

/** Details that the caller found in a picture. */
export const AskedDetails = z
  .base64()
  .max(Math.ceil(MAX_ASKED_BYTES / 3) * 4)
  .meta({
    description:
      'Details of the picture, where the service offers extended protection: base64, from `detailsOf` of `@tabir/hash`. At most 9 views of 300.',
  })
export const DepthName = z.enum(DEPTHS).default('auto').meta({
  description: 'auto: by details only if hashes find nothing. full: by hashes and details. hashes: by hashes only.',
})

export const GradingName = z.enum(GRADINGS).default('per-pair').meta({
  description:
    "What the grades promise. per-pair: a false rate for each registered image that an upload is compared with, so that a larger registry gives more false matches. per-upload: of unrelated uploads at most 1 in 1,000,000 is strong or exact and 1 in 10,000 near, among all that is registered now, whatever `banks` says; for platforms that act automatically. Matches must then be nearer for each grade. Images of cases that nobody attests count for one another only, for a day. `review` is returned only with `thresholdBits`, or from the caller's own bank. Larger registries find fewer copies. Identical files stay `exact`. The limits come from a model of measured pairs, which does not cover uploads that share an app, a form or a mask with a registered image (docs/robustness.md#for-an-upload).",
})

/** The outcome for one of several submitted items: registered or held, or refused with a problem. */
export const RegisteredState = z.enum(['registered', 'held', 'refused']).meta({
  description:
    'registered: it matches. held: it was registered before and matches nothing until it is released, because it is held for review, paused by its owner, or judged a false report.',
})

/** Long enough that nobody guesses another caller's key. */
export const IdempotencyKey = z.object({
  'idempotency-key': z
    .string()
    .regex(/^[\x21-\x7e]{16,128}$/, 'must be 16 to 128 visible characters')
    .optional()
    .meta({
      description:
        'A random value such as a UUID. A repeated request with the same key and body within 24 hours gets the same answer and has no second effect. Keep it secret: it gives access to that answer.',
    }),
})

export const CaseNumberParam = z.object({ caseNumber: z.string().max(64) })

export const RecoveryCode = z.string().meta({
  description: 'Sixteen digits. Works like the PIN, also after the PIN is locked because of too many wrong tries.',
})

const RegionView = z.object({ left: z.number(), top: z.number(), right: z.number(), bottom: z.number() })

const TransformName = z
  .enum(transforms.map(({ name }) => name))
  .meta({ description: 'The transform from the query picture to the registered one.' })

const SpanView = z.object({ fromMs: z.int(), toMs: z.int() })

export const MatchView = z
  .object({
    matchId: z.string().meta({
      description: 'The same for the same registered image and asking organisation; different for every other organisation.',
    }),
    grade: z.enum(GRADES).meta({
      description:
        'exact: the files are the same by SHA-256, or no bit of the PDQ of the whole differs, a second algorithm agrees, and so do all parts. A PDQ alone is never exact, because a picture can be bent to any PDQ; nor is an MD5, because two videos can be made with one. strong: one hash is near enough to decide alone and a second algorithm agrees, or two parts of the picture that look unlike are near; never by registered parts without their frames alone, nor for hashes that were sent to a case that no organisation vouches for; and all parts of the picture agree, where parts of both were hashed. near: within the threshold of the bank by one hash that decides alone, or by two such parts that are less near. review: beyond it, or so far that it needs a second part and has none; never to be acted on automatically. What that means for an upload depends on how many images it is compared with. Of a million unrelated uploads at most 1.14 are strong and 10.7 near among a thousand images, 1,140 and 10,600 among a million, 11,300 and 101,000 among ten million; counted are 0.36 and 8.3, 360 and 8,200, 3,600 and 79,000 (of 5,328 million pairs). Extended protection may add to near at most 48, 46,900 and 381,000: none of 62 million pairs was. See `grading`. Uploads that share an app, a form or a mask with a registered image are beside this, and are flagged far more often: of a page of the same app 2 in 10,000, of a form of the same kind up to 3 in 10, for each such image (docs/robustness.md#for-an-upload).',
    }),
    distanceBand: z.enum(DISTANCE_BANDS),
    distanceBits: z.int().optional().meta({ description: 'Only with the scope match:distance.' }),
    signalType: z.enum(ROW_TYPES),
    view: z.enum([...VIEW_NAMES, 'details']),
    transform: TransformName,
    bank: z.string(),
    tier: z.enum(TIER_NAMES),
    category: CategoryName.nullable(),
    disputed: z.boolean(),
    queryMs: z.int().optional().meta({
      description: 'Only for a registered picture that was found in your video: when in it, in milliseconds, to the second.',
    }),
    segments: z
      .array(
        z.object({
          query: SpanView,
          registered: SpanView,
          speed: z.number().meta({ description: 'How fast your video shows it: 2 is twice as fast, -1 backwards.' }),
          transform: TransformName,
          frames: z.int().meta({ description: 'How many frames agree.' }),
          distanceBand: z.enum(DISTANCE_BANDS).meta({ description: 'Of the nearest frame.' }),
        }),
      )
      .optional()
      .meta({
        description:
          'Only for a registered video that was found in yours: the parts of both that agree, the longest first. Times are in milliseconds, to the second.',
      }),
    atMs: z.int().optional().meta({
      description:
        'Only where the registered image is a video: when the frame is shown that matches best, in milliseconds from its start, rounded down to the second. Not told when the bits that may be told of this image are spent.',
    }),
    agreement: z.object({ share: z.number(), region: RegionView }).optional().meta({
      description:
        'Only where a part of the picture that you sent differs from the registered one, and it is known which: the share of its four quarters that agrees, and the region around these; where none does, the part that is nearest to one of the registered picture, and its share of the area (queries by picture only). Such a picture may be a changed copy, or another one on the same template, background or form. Not told of queries by hash without pieces, nor when the bits that may be told of this image are spent.',
    }),
    details: z
      .object({
        inliersBand: z.enum(INLIER_BANDS),
        inliers: z.int().optional().meta({ description: 'Only with the scope match:distance.' }),
        region: RegionView.meta({
          description: 'The region of your picture that they cover, as fractions of its sides, 0 to 1.',
        }),
      })
      .optional()
      .meta({
        description:
          'Only of a match by details (`view: details`): how many details agree, 8 at least, where chance agrees in 7 at most. Such a match is `near`; its distance is the median over these details.',
      }),
  })
  .meta({ id: 'Match' })

export const PartProblem = ProblemBody.optional().meta({
  description: 'Set instead of the other fields when the item was refused.',
})

const IndexPart = z.object({
  kind: z.enum(['head', 'segment', 'raw']).meta({
    description: 'head: newest rows. segment: rows with lookup tables. raw: loaded, without tables yet.',
  }),
  rows: z.int(),
  deadRows: z.int(),
  bytes: z.int(),
  radii: z.array(z.int()).optional().meta({
    description:
      'The search plan: for each band, up to how many differing bits are looked up; -1 for none. Absent where every row is scanned.',
  }),
  probes: z.int(),
  candidates: z.int(),
})

/** The answer of `/health/index`, which the command line reads. */
export const IndexReport = z.object({
  revision: z.int(),
  behind: z.int().meta({ description: 'Changes in the store that the index has not applied yet.' }),
  stalenessMs: z.int(),
  images: z.int(),
  imageBytes: z.int(),
  indexes: z.array(
    z.object({
      type: z.enum(ROW_TYPES),
      rows: z.int(),
      liveRows: z.int(),
      bytes: z.int(),
      thresholdBits: z.int().meta({ description: 'The threshold of the plans.' }),
      parts: z.array(IndexPart),
    }),
  ),
})
