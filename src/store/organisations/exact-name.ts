// Names that are unique to one bank, where organisations that may not know of each other's banks use the same label.

import { createHash } from 'node:crypto'
import { type Bank, labelOf, OWNER_MARK } from '../../../packages/core/src/matching/bank.js'

/**
 * The name of an organisation's bank with this label. An organisation has at most one bank of a label. The name holds a digest, so that it reveals
 * neither the owner's id nor which banks have the same owner.
 */
export function exactName(label: string, orgId: string): string {
  return `${label}${OWNER_MARK}${createHash('sha256').update(`${orgId}\0${label}`).digest('hex').slice(0, 12)}`
}

export function exactNameOf({ name, orgId }: Pick<Bank, 'name' | 'orgId'>): string {
  return orgId === undefined ? name : exactName(labelOf(name), orgId)
}
