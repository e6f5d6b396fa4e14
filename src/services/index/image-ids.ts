// Ids of images, keyed so that an id tells nothing about the hash it is made from: the same of what is the same.

import { createHmac } from 'node:crypto'
import { uuidV8 } from '../../domain/ids.js'
import type { Signal } from '../../domain/matching/signal.js'
import type { SignalType } from '../../domain/matching/signal-types.js'
import type { SignalIdentity } from '../../domain/organisations/bank-change.js'

/** Of what is handed in to a bank as hashes: of a picture where all its signals are given. */
export function bankedIdOf(secret: Buffer, bank: string, { signal, picture, ref }: SignalIdentity): string {
  return picture === undefined ? signalIdOf(secret, bank, signal, ref) : pictureIdOf(secret, bank, picture, ref)
}

/** Of what makes a bank's signal itself. */
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

/** Apart from the ids of signals: a hash that is handed in alone must not take the place of a picture with all its views. */
export function pictureIdOf(secret: Buffer, bank: string, signals: readonly Signal[], ref: string | undefined): string {
  const whole = signals.find(({ type, view }) => type === 'pdq' && view === 'whole')
  const digest = createHmac('sha256', secret).update(`picture\0${bank}\0${ref ?? ''}\0`)
  for (const { hash } of whole === undefined ? signals : [whole]) digest.update(hash)
  return uuidV8(digest.digest())
}

/** With how many bytes the ids of all images of one case begin alike, so that matches can be counted by case without the store. */
export const ORIGIN_BYTES = 6

/**
 * Of what makes a picture itself, within its case: the ids of one picture in two cases have nothing in common. That is PDQ of the
 * whole; or SHA-256 of the file where a submitter gives no PDQ; or everything that she gives, in its order. The first bytes are the case's:
 * nobody sees ids but the holder of the case and operators.
 */
export function imageIdOf(secret: Buffer, caseId: string, signals: readonly Signal[]): string {
  const whole = (type: SignalType) => signals.find((signal) => signal.type === type && signal.view === 'whole')
  const itself = whole('pdq') ?? whole('sha256')
  const digest = createHmac('sha256', secret).update(`case\0${caseId}\0`)
  for (const { type, view, hash } of itself === undefined ? signals : [itself])
    digest.update(`${type}\0${view}\0`).update(hash)
  const bytes = digest.digest()
  bytes.set(createHmac('sha256', secret).update(`origin\0${caseId}`).digest().subarray(0, ORIGIN_BYTES))
  return uuidV8(bytes)
}

/** What the ids of all images of one case begin with (`imageIdOf`). */
export function originIn(imageId: string): string {
  return imageId.slice(0, 13)
}
