// Accounts of what each organisation learned about each image, as far as this process knows.

import { createHmac, randomInt } from 'node:crypto'
import type { ProbingSpent } from '../../../store/trust/probing.js'

/** The radius of a frozen image: 8…23 bits. The secret, the organisation and the image determine it. */
const FROZEN_RADIUS = { from: 8, values: 16 } as const

export const NOTHING: ProbingSpent = { inner: 0, outer: 0 }
/** Maximum accounts of images in memory. A dropped account is in the store, and is loaded before it is charged again. */
const MAX_ACCOUNTS = 100_000
const MAX_ORGS = 10_000

export interface Account {
  readonly own: string
  readonly shared: string
  readonly radiusBits: number
  readonly seed: number
  isLoaded: boolean
  spent: ProbingSpent
  all: ProbingSpent
  pending: { inner: number; outer: number; credit: number }
}

export interface OrgAccounts {
  readonly across: Account
  readonly images: Map<string, Account>
  readonly dirty: Set<Account>
}

export interface ProbingAccounts {
  readonly orgs: ReadonlyMap<string, OrgAccounts>
  /** Created if it is new. */
  orgOf(orgId: string): OrgAccounts
  /** Created if it is new. */
  accountOf(orgId: string, org: OrgAccounts, imageId: string): Account
}

/** @param secret keys the names of accounts in the store and the radius of a frozen image. */
export function createProbingAccounts(secret: Buffer): ProbingAccounts {
  const orgs = new Map<string, OrgAccounts>()
  let accounts = 0
  /** Drops all accounts that are in the store. If it dropped only the oldest, a caller could choose which. */
  const dropSettled = () => {
    accounts = 0
    for (const [orgId, org] of orgs) {
      for (const [imageId, account] of org.images) if (!org.dirty.has(account)) org.images.delete(imageId)
      if (org.dirty.size === 0) orgs.delete(orgId)
      accounts += org.images.size
    }
  }
  return {
    orgs,
    orgOf(orgId) {
      const known = orgs.get(orgId)
      if (known !== undefined) return known
      if (orgs.size >= MAX_ORGS) dropSettled()
      const made = { across: accountWith('across', '', 0), images: new Map<string, Account>(), dirty: new Set<Account>() }
      orgs.set(orgId, made)
      return made
    },
    accountOf(orgId, org, imageId) {
      const known = org.images.get(imageId)
      if (known !== undefined) return known
      if (accounts >= MAX_ACCOUNTS) {
        dropSettled()
        orgs.set(orgId, org) // it is in use: if it were dropped, its charges would never be sent, nor its answers restricted
      }
      const own = createHmac('sha256', secret).update(`probing:${orgId}:${imageId}`).digest()
      const shared = createHmac('sha256', secret).update(`probing:${imageId}`).digest('base64url').slice(0, 16)
      const radiusBits = FROZEN_RADIUS.from + ((own[31] ?? 0) % FROZEN_RADIUS.values)
      const made = accountWith(own.toString('base64url').slice(0, 16), shared, radiusBits)
      org.images.set(imageId, made)
      accounts++
      return made
    },
  }
}

function accountWith(own: string, shared: string, radiusBits: number): Account {
  const pending = { inner: 0, outer: 0, credit: 0 }
  return { own, shared, radiusBits, seed: randomInt(2 ** 32), isLoaded: false, spent: NOTHING, all: NOTHING, pending }
}
