// What a worker says about an image it took: its hashes, or the code of a refusal. JSON on the private listener.

import { z } from 'zod'
import type { HashedImage } from '../domain/hashed-image.js'
import { isProblemCode, PROBLEM_CODES, type ProblemCode } from '../domain/problem.js'
import { VIEW_NAMES } from '../domain/signal.js'
import { SIGNAL_TYPE_NAMES } from '../domain/signal-types.js'
import {
  MAX_ASKED_BYTES,
  MAX_REGISTERED_BYTES,
  readAsked,
  readRegistered,
  writeAsked,
  writeRegistered,
} from '../hash/details/written.js'
import { formatHash, type Hash256, parseHash } from '../hash/hash256.js'
import { standsForWays } from '../hash/transforms.js'

export type HandoffAnswer = { readonly image: HashedImage } | { readonly problem: ProblemCode }

const HashText = z.string().transform((text, context): Hash256 => {
  const hash = parseHash(text)
  if (hash !== undefined) return hash
  context.addIssue({ code: 'custom', message: 'must be 64 lowercase hex digits' })
  return z.NEVER
})

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

const Message = z.union([
  z.strictObject({ problem: z.enum(PROBLEM_CODES) }),
  z.strictObject({
    image: z.strictObject({
      quality: z.int().min(0).max(100),
      signals: z
        .array(
          z.strictObject({
            type: z.enum(SIGNAL_TYPE_NAMES),
            view: z.enum(VIEW_NAMES),
            quality: z.int().min(0).max(100),
            hashes: z
              .array(HashText)
              .max(8)
              .refine(({ length }) => standsForWays(length)),
          }),
        )
        .max(1024),
      details: bytesAs(readRegistered, MAX_REGISTERED_BYTES).optional(),
      asked: bytesAs(readAsked, MAX_ASKED_BYTES).optional(),
    }),
  }),
])

/** @throws {Error} when the text is no answer: the two sides are of different versions. */
export function parseAnswer(text: string): HandoffAnswer {
  const answer = Message.parse(JSON.parse(text))
  if ('problem' in answer) return answer
  const { details, asked, ...image } = answer.image
  return { image: { ...image, ...(details !== undefined && { details }), ...(asked !== undefined && { asked }) } }
}

export function formatAnswer(answer: HandoffAnswer): string {
  if ('problem' in answer) return JSON.stringify({ problem: isProblemCode(answer.problem) ? answer.problem : 'unexpected' })
  const { quality, signals, details, asked } = answer.image
  return JSON.stringify({
    image: {
      quality,
      signals: signals.map((signal) => ({ ...signal, hashes: signal.hashes.map(formatHash) })),
      ...(details !== undefined && { details: base64(writeRegistered(details)) }),
      ...(asked !== undefined && { asked: base64(writeAsked(asked)) }),
    },
  })
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer).toString('base64')
}
