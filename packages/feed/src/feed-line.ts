// The lines of a feed. The service answers them, and a follower parses them more leniently: a newer service may send more.

import { z } from 'zod'
import { COPY_BITS } from '../../core/src/matching/copies.js'
import { CATEGORY_NAMES, TIER_NAMES, VIEW_NAMES } from '../../core/src/matching/signal.js'
import { SIGNAL_TYPE_NAMES } from '../../core/src/matching/signal-types.js'

const Id = z.string().meta({ description: 'An id of your organisation only: the same as the match id of the image.' })

export const FedSignal = z.object({
  type: z.enum(SIGNAL_TYPE_NAMES),
  view: z.enum(VIEW_NAMES),
  quality: z.int().min(0).max(100),
  hash: z.string(),
  atMs: z.int().optional().meta({ description: 'Only of a frame of a video: when it is shown, in milliseconds.' }),
})

export const UpsertLine = z.object({
  op: z.literal('upsert'),
  id: Id,
  bank: z.string(),
  tier: z.enum(TIER_NAMES),
  category: z.enum(CATEGORY_NAMES).nullable(),
  disputed: z.boolean(),
  narrowed: z.boolean().meta({
    description: `It must match only near-identical copies of the whole picture: \`pdq\` within ${COPY_BITS} bits, or the same file.`,
  }),
  video: z
    .object({ durationMs: z.int() })
    .optional()
    .meta({ description: 'Only of a video. Each of its signals is then of the frame at `atMs`, or of the whole file.' }),
  signals: z.array(FedSignal),
})

export const SnapshotBegin = z.object({ op: z.literal('snapshot-begin') })
export const SnapshotEnd = z.object({ op: z.literal('snapshot-end') })
export const TombstoneLine = z.object({ op: z.literal('tombstone'), id: Id })
export const CursorLine = z.object({
  op: z.literal('cursor'),
  cursor: z.string(),
  more: z.boolean().meta({ description: 'Can more be read at once?' }),
})
