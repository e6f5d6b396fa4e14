// Names that stand for one bank alone, where organisations that may not know of each other's banks call them the same.

import { createHash } from 'node:crypto'
import { type Bank, labelOf, OWNER_MARK } from '../../domain/organisations/bank.js'

/** An organisation has one bank of a label at most. By a digest, so that it tells neither the owner's id nor which banks have one owner. */
export function exactName(label: string, orgId: string): string {
  return `${label}${OWNER_MARK}${createHash('sha256').update(`${orgId}\0${label}`).digest('hex').slice(0, 12)}`
}

export function exactNameOf({ name, orgId }: Pick<Bank, 'name' | 'orgId'>): string {
  return orgId === undefined ? name : exactName(labelOf(name), orgId)
}
