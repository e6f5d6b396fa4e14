// Computes ids of images. They are keyed, so that an id reveals nothing about the hash. The same input gives the same id.

import { createHmac } from 'node:crypto'
import { uuidV8 } from '../../../packages/core/src/ids.js'
import { ownSignalsOf, type Signal } from '../../../packages/core/src/matching/signal.js'
import type { SignalType } from '../../../packages/core/src/matching/signal-types.js'
import type { SignalIdentity } from '../../domain/organisations/bank-change.js'

/** The id of a bank's image: from the whole picture if all its signals are given, otherwise from the one signal. */
export function bankedIdOf(secret: Buffer, bank: string, { signal, picture, ref }: SignalIdentity): string {
  return picture === undefined ? signalIdOf(secret, bank, signal, ref) : pictureIdOf(secret, bank, picture, ref)
}

/** The id of a single signal of a bank. */
function signalIdOf(
  secret: Buffer,
  bank: string,
  { type, hash }: Pick<Signal, 'type' | 'hash'>,
  ref: string | undefined,
): string {
  return uuidV8(
    createHmac('sha256', secret)
      .update(`${bank}\0${type}\0`)
      .update(hash)
      .update(ref ?? '')
      .digest(),
  )
}

/**
 * The id of a picture or video of a bank. Never equal to the id of a single signal: a hash that is submitted alone must not replace a picture with
 * all its views.
 */
export function pictureIdOf(secret: Buffer, bank: string, given: readonly Signal[], ref: string | undefined): string {
  const signals = ownSignalsOf(given)
  const wholes = wholesOf(signals, 'pdq')
  const kind = isOfVideo(signals) ? 'video' : 'picture'
  // Of a picture the first alone, so that one that gains or loses a frame or a view stays the same image.
  const itself = kind === 'video' ? wholes : wholes.slice(0, 1)
  const digest = createHmac('sha256', secret).update(`${kind}\0${bank}\0${ref ?? ''}\0`)
  for (const { hash } of itself.length === 0 ? signals : itself) digest.update(hash)
  return uuidV8(digest.digest())
}

/** A video of one frame and a picture with the same hash have different ids, so neither replaces the other. @param signals as of `ownSignalsOf`. */
function isOfVideo(signals: readonly Signal[]): boolean {
  return signals.some(({ frame }) => frame !== undefined)
}

/** The whole views of a type: one for a picture, one per frame for an animation or video. */
function wholesOf(signals: readonly Signal[], type: SignalType): readonly Signal[] {
  return signals.filter((signal) => signal.type === type && signal.view === 'whole')
}

/** Length of the prefix that the ids of all images of a case share. It lets the matcher count by case without the store. */
export const ORIGIN_BYTES = 6

/**
 * The id of a case's picture or video. In two cases, one picture has unrelated ids. Derived from PDQ of the whole picture (of all frames, if there
 * are several), otherwise from SHA-256 of the file, otherwise from all signals in their order. Begins with the prefix of the case. Only the holder of
 * the case and operators see ids.
 */
export function imageIdOf(secret: Buffer, caseId: string, given: readonly Signal[]): string {
  const signals = ownSignalsOf(given)
  const itself = [wholesOf(signals, 'pdq'), wholesOf(signals, 'sha256').slice(0, 1)].find(({ length }) => length > 0)
  const digest = createHmac('sha256', secret).update(`${isOfVideo(signals) ? 'video' : 'case'}\0${caseId}\0`)
  for (const { type, view, hash } of itself ?? signals) digest.update(`${type}\0${view}\0`).update(hash)
  return idInCase(secret, caseId, digest.digest())
}

/**
 * The id of a case's video whose file the service hashed, from the SHA-256 of the file. Not from its frames: of a heavy video, which ones are decoded
 * depends on how busy the worker is. Never equal to an id from hashes that a client states.
 */
export function fileIdOf(secret: Buffer, caseId: string, signals: readonly Signal[]): string {
  const file = signals.find(({ type, frame }) => type === 'sha256' && frame === undefined)
  if (file === undefined) return imageIdOf(secret, caseId, signals)
  return idInCase(secret, caseId, createHmac('sha256', secret).update(`file\0${caseId}\0`).update(file.hash).digest())
}

function idInCase(secret: Buffer, caseId: string, bytes: Buffer): string {
  bytes.set(createHmac('sha256', secret).update(`origin\0${caseId}`).digest().subarray(0, ORIGIN_BYTES))
  return uuidV8(bytes)
}

/** The prefix that the ids of all images of a case share (`imageIdOf`). */
export function originIn(imageId: string): string {
  return imageId.slice(0, 13)
}
