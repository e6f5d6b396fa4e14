// Converts the signals of one content from HMA's types and back.

import { formatSignalHash } from '../../domain/matching/hash-text.js'
import type { RegisteredVideo, Signal } from '../../domain/matching/signal.js'
import type { NewSignal } from '../../domain/organisations/bank-change.js'
import { Problem } from '../../domain/problem.js'
import { vpdqJson } from '../../exchange/vpdq.js'
import { type GivenHash, type HmaSignalType, PDQ, VIDEO_MD5, VPDQ } from './hma-signals.js'

/** @param given at most one of each type. @throws {Problem} request-invalid without any */
export function newSignal(given: readonly GivenHash[], ref: string | undefined): NewSignal {
  const signals = given.flatMap((one): readonly Signal[] =>
    one.type === VPDQ ? one.video.signals : [{ type: one.type, view: 'whole', quality: 100, hash: one.hash }],
  )
  const [first] = signals
  if (first === undefined) throw new Problem('request-invalid')
  const { frame: _, ...signal } = first
  const video = given.find((one) => one.type === VPDQ)?.video.video
  return {
    ...{ signal, ref, category: undefined },
    ...((video !== undefined || signals.length > 1) && { picture: signals }),
    ...(video !== undefined && { video }),
  }
}

/** The hashes of a content by their types. */
export function hashTexts(
  signals: readonly Signal[],
  video: RegisteredVideo | undefined,
): Partial<Record<HmaSignalType, string>> {
  const told: Partial<Record<HmaSignalType, string>> = {}
  const whole = signals.filter(({ view }) => view === 'whole')
  for (const type of [PDQ, VIDEO_MD5] as const) {
    const found = whole.find((signal) => signal.type === type && signal.frame === undefined)
    if (found !== undefined) told[type] = formatSignalHash(type, found.hash)
  }
  const frames = whole.filter(({ type, frame }) => type === PDQ && frame !== undefined)
  if (video !== undefined && frames.length > 0) told[VPDQ] = vpdqJson(frames, video)
  return told
}
