// Parses entries of the audit log's stream.

import { z } from 'zod'
import type { RecordedAct } from '../../domain/organisations/audit.js'
import type { StreamEntry } from '../redis/paging.js'

export interface ChainedAct extends RecordedAct {
  readonly number: number
}

const Entry = z.object({ act: z.string(), by: z.string(), about: z.record(z.string(), z.string()), atMs: z.number() })

/** An entry for lists. A malformed one is shown as `unreadable`; `verify` says what is wrong with it. */
export function shownOf(entry: StreamEntry): ChainedAct {
  try {
    return actOf(entry)
  } catch {
    return { number: fieldsOf(entry).number, act: 'unreadable', by: 'unknown', about: {}, atMs: 0 }
  }
}

export function actOf(entry: StreamEntry): ChainedAct {
  const { number, text } = fieldsOf(entry)
  return { number, ...Entry.parse(JSON.parse(text.subarray(text.indexOf(' ') + 1).toString('utf8'))) }
}

/** The number before the text of an act; `undefined` without one. */
export function actNumberOf(text: unknown): number | undefined {
  const [, digits] = Buffer.isBuffer(text) ? (/^([1-9]\d{0,14}) /.exec(text.toString('latin1', 0, 16)) ?? []) : []
  return digits === undefined ? undefined : Number(digits)
}

/** A missing or malformed field is empty: then the MAC does not verify. */
export function fieldsOf([id, fields]: StreamEntry) {
  const field = (name: string) => fields.find((_, i) => i % 2 === 1 && fields[i - 1]?.toString('latin1') === name)
  const none = Buffer.alloc(0)
  return { number: Number.parseInt(id.toString('latin1'), 10), text: field('entry') ?? none, mac: field('mac') ?? none }
}
