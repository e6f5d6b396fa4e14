// A worker's answer about an image: its hashes, or the code of a problem. JSON on the private listener.

import { z } from 'zod'
import type { HashedImage, HashedSignal } from '../../packages/core/src/matching/hashed-image.js'
import { SIGNAL_TYPE_NAMES } from '../../packages/core/src/matching/signal-types.js'
import {
  MAX_ASKED_BYTES,
  MAX_REGISTERED_BYTES,
  readAsked,
  readRegistered,
  writeAsked,
  writeRegistered,
} from '../../packages/hash/src/details/written.js'
import { MAX_IMAGE_SIGNALS } from '../../packages/hash/src/file-frames.js'
import { formatHash } from '../../packages/hash/src/hash256.js'
import type { ProblemCode } from '../domain/problem.js'
import { EXACTLY, hashedFramesMessage, IGNORING_MORE, Quality, SIGNAL_RULES, signalMessage } from './frame-message.js'

/** Problems that decoding may report. All others concern cases or keys: a decoder must not be able to report them. */
export const DECODING_PROBLEMS = [
  'media-unsupported',
  'image-too-many-pixels',
  'image-undecodable',
  'hashing-unavailable',
] as const satisfies readonly ProblemCode[]
export type DecodingProblem = (typeof DECODING_PROBLEMS)[number]

export type HandoffAnswer = { readonly image: HashedImage } | { readonly problem: DecodingProblem }

/** What the api asked for with a picture. */
export interface Wanted {
  readonly purpose: 'submission' | 'query'
  readonly details: 'none' | 'also'
}

/** Of the frames, and a blockhash and a sha256. */
const MAX_SIGNALS = MAX_IMAGE_SIGNALS + 2

function bytesAs<T>(read: (bytes: Uint8Array) => T | undefined, maxBytes: number) {
  return z
    .base64()
    .max(Math.ceil(maxBytes / 3) * 4)
    .transform((text, context) => {
      const value = read(Buffer.from(text, 'base64'))
      if (value !== undefined) return value
      context.addIssue({ code: 'custom', message: 'must be details as they are written' })
      return z.NEVER
    })
}

function messageOf(object: typeof EXACTLY) {
  const signals = z
    .array(signalMessage(object))
    .max(MAX_SIGNALS)
    .refine((signals) =>
      SIGNAL_TYPE_NAMES.every((name) => signals.filter(({ type }) => type === name).length <= SIGNAL_RULES[name].max),
    )
  return z.union([
    object({ problem: z.enum(DECODING_PROBLEMS) }),
    object({
      image: object({
        quality: Quality,
        signals,
        isSimple: z.literal(true).optional(),
        isForm: z.literal(true).optional(),
        isObject: z.literal(true).optional(),
        animation: hashedFramesMessage(object).optional(),
        details: bytesAs(readRegistered, MAX_REGISTERED_BYTES).optional(),
        asked: bytesAs(readAsked, MAX_ASKED_BYTES).optional(),
      }),
    }),
  ])
}
const OfChild = messageOf(EXACTLY)
const OfWorker = messageOf(IGNORING_MORE)

/**
 * Reads an answer of a child that decodes.
 * @param wanted what was asked for, if known. An answer with anything else is rejected.
 * @throws {Error} when the text is not a valid answer: a file has taken control of the child. Never log the text.
 */
export function parseAnswer(text: string, wanted?: Wanted): HandoffAnswer {
  const answer = answerOf(OfChild.parse(JSON.parse(text)))
  if (wanted !== undefined && 'image' in answer && !isWanted(answer.image, wanted))
    throw new Error('the answer contains what was not asked for')
  return answer
}

/** Reads an answer of a worker, without fields that only another version knows. @throws {Error} as `parseAnswer`. */
export function parseWorkersAnswer(text: string): HandoffAnswer {
  return answerOf(OfWorker.parse(JSON.parse(text)))
}

function answerOf(answer: z.infer<typeof OfChild>): HandoffAnswer {
  if ('problem' in answer) return answer
  const { isSimple, isForm, isObject, animation, details, asked, ...rest } = answer.image
  const image = {
    ...rest,
    ...(isSimple && { isSimple }),
    ...(isForm && { isForm }),
    ...(isObject && { isObject }),
    ...(animation !== undefined && { animation }),
    ...(details !== undefined && { details }),
    ...(asked !== undefined && { asked }),
  }
  return { image }
}

/**
 * @returns whether an answer has only what was asked for. A submission gets one hash for each part, details to register, and perhaps `isSimple` and
 *   frames of an animation. A query gets several orientations of each part, details to query with, and perhaps `isForm` or `isObject`.
 */
function isWanted({ signals, isSimple, isForm, isObject, animation, details, asked }: HashedImage, wanted: Wanted): boolean {
  const isRegistered = wanted.purpose === 'submission'
  if (isRegistered ? isForm || isObject : isSimple || animation !== undefined) return false
  if (
    wanted.details === 'none' ? details !== undefined || asked !== undefined : (isRegistered ? asked : details) !== undefined
  )
    return false
  const frames = animation?.frames ?? []
  return [{ signals }, ...frames].every((own) =>
    own.signals.every(({ type, hashes }) => type !== 'pdq-area' || (hashes.length === 1) === isRegistered),
  )
}

export function formatAnswer(answer: HandoffAnswer): string {
  if ('problem' in answer) return JSON.stringify({ problem: answer.problem })
  const { quality, signals, isSimple, isForm, isObject, animation, details, asked } = answer.image
  return JSON.stringify({
    image: {
      quality,
      signals: written(signals),
      ...(isSimple && { isSimple }),
      ...(isForm && { isForm }),
      ...(isObject && { isObject }),
      ...(animation && {
        animation: {
          ...animation,
          frames: animation.frames.map((frame) => ({ ...frame, signals: written(frame.signals) })),
        },
      }),
      ...(details !== undefined && { details: base64(writeRegistered(details)) }),
      ...(asked !== undefined && { asked: base64(writeAsked(asked)) }),
    },
  })
}

function written(signals: readonly HashedSignal[]) {
  return signals.map((signal) => ({ ...signal, hashes: signal.hashes.map(formatHash) }))
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer).toString('base64')
}
