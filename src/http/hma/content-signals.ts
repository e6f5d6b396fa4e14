// Converts the signals of one content from HMA's types and back.

import { formatSignalHash } from '../../../packages/core/src/matching/hash-text.js'
import type { HashedImage, HashedVideo } from '../../../packages/core/src/matching/hashed-image.js'
import type { RegisteredVideo, Signal } from '../../../packages/core/src/matching/signal.js'
import { SIGNAL_TYPES } from '../../../packages/core/src/matching/signal-types.js'
import type { NewSignal } from '../../domain/organisations/bank-change.js'
import { Problem } from '../../domain/problem.js'
import { vpdqJson } from '../../exchange/vpdq.js'
import {
  type GivenHash,
  givenHash,
  type HmaSignalType,
  PDQ,
  pdqOf,
  selectedTypes,
  VIDEO,
  VIDEO_MD5,
  VPDQ,
} from './hma-signals.js'
import { problemOfUpload } from './refusals.js'
import type { HmaVideo } from './video-file.js'

/** @param given at most one of each type. @throws {Problem} request-invalid if empty */
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

/** @returns a signal of the file's MD5; with the hashes of its frames, if they are known. */
export function videoSignal({ md5, video: file }: HmaVideo, ref: string | undefined): NewSignal {
  const given = newSignal([givenHash(VIDEO_MD5, md5, '')], ref)
  if (file === undefined) return given
  const frames = file.frames.flatMap(({ signals }, frame) =>
    signals.flatMap(({ hashes: [hash], ...rest }) => (hash === undefined ? [] : [{ ...rest, hash, frame }])),
  )
  const video = { durationMs: Math.max(1, file.durationMs), framesAtMs: file.frames.map(({ atMs }) => atMs) }
  return { ...given, picture: [given.signal, ...frames], video }
}

/** The vPDQ of a video: PDQ of each hashed frame as a whole. */
function vpdqOf({ frames, durationMs }: HashedVideo): string {
  const signals = frames.flatMap(({ signals: own }, frame): Signal[] => {
    const whole = own.find(({ type, view }) => type === PDQ && view === 'whole')
    const [hash] = whole?.hashes ?? []
    return whole === undefined || hash === undefined ? [] : [{ ...whole, hash, frame }]
  })
  return vpdqJson(signals, { durationMs, framesAtMs: frames.map(({ atMs }) => atMs) })
}

/** The hashes of a file by type: all, or those selected. PDQ is empty for a picture with too little structure, as in HMA. */
export function hashesOf(
  hashed: HashedImage | HmaVideo | Problem,
  types: string | undefined,
): Partial<Record<HmaSignalType, string>> {
  if ('md5' in hashed) {
    const { md5, video } = hashed
    return {
      ...(selectedTypes(types, VIDEO)?.includes(VIDEO_MD5) !== false && { [VIDEO_MD5]: md5 }),
      ...(video !== undefined && { [VPDQ]: vpdqOf(video) }),
    }
  }
  if (!(hashed instanceof Problem)) return { [PDQ]: hashed.quality < SIGNAL_TYPES.pdq.minQuality ? '' : pdqOf(hashed) }
  if (hashed.code === 'quality-too-low') return { [PDQ]: '' }
  throw problemOfUpload(hashed)
}

/** The hashes of a content by their types. */
export function hashTexts(
  signals: readonly Signal[],
  video: RegisteredVideo | undefined,
): Partial<Record<HmaSignalType, string>> {
  const result: Partial<Record<HmaSignalType, string>> = {}
  const whole = signals.filter(({ view }) => view === 'whole')
  for (const type of [PDQ, VIDEO_MD5] as const) {
    const found = whole.find((signal) => signal.type === type && signal.frame === undefined)
    if (found !== undefined) result[type] = formatSignalHash(type, found.hash)
  }
  const frames = whole.filter(({ type, frame }) => type === PDQ && frame !== undefined)
  if (video !== undefined && frames.length > 0) result[VPDQ] = vpdqJson(frames, video)
  return result
}
