// Accounts of what each organisation learned about each image, as far as this process knows.

import { createHmac, randomInt } from 'node:crypto'
import type { ProbingSpent } from '../../../store/trust/probing.js'

export const NOTHING: ProbingSpent = { inner: 0, outer: 0 }
/** Maximum accounts of images in memory. A dropped account is in the store, and is loaded before it is charged again. */
const MAX_ACCOUNTS = 100_000
const MAX_ORGS = 10_000

export interface Account {
  readonly imageId: string
  readonly own: string
  readonly shared: string
  readonly seed: number
  isLoaded: boolean
  spent: ProbingSpent
  all: ProbingSpent
  pending: { inner: number; outer: number }
  /** Queries of this process near outer edges, less what others offset (`PROBING_BUDGETS.credit`). */
  suspicion: number
}

export interface OrgAccounts {
  /** Marks queries that are counted for no image. */
  readonly seed: number
  /** As of an account, over all images. */
  suspicion: number
  readonly images: Map<string, Account>
  readonly dirty: Set<Account>
  /** Ids of the images that are blurred for this organisation, as far as this process knows. */
  readonly blurred: Set<string>
}

export interface ProbingAccounts {
  readonly orgs: ReadonlyMap<string, OrgAccounts>
  /** Created if it is new. */
  orgOf(orgId: string): OrgAccounts
  /** Created if it is new. */
  accountOf(orgId: string, org: OrgAccounts, imageId: string): Account
}

/** @param secret keys the names of accounts in the store. */
export function createProbingAccounts(secret: Buffer): ProbingAccounts {
  const orgs = new Map<string, OrgAccounts>()
  let accounts = 0
  /** Drops all accounts that are in the store. If it dropped only the oldest, a caller could choose which. */
  const dropSettled = () => {
    accounts = 0
    for (const [orgId, org] of orgs) {
      for (const [imageId, account] of org.images) {
        if (org.dirty.has(account)) continue
        org.images.delete(imageId)
        org.blurred.delete(imageId)
      }
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
      const images = new Map<string, Account>()
      const made = { seed: newSeed(), suspicion: 0, images, dirty: new Set<Account>(), blurred: new Set<string>() }
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
      const made = accountWith(imageId, own.toString('base64url').slice(0, 16), shared)
      org.images.set(imageId, made)
      accounts++
      return made
    },
  }
}

function accountWith(imageId: string, own: string, shared: string): Account {
  const pending = { inner: 0, outer: 0 }
  return { imageId, own, shared, seed: newSeed(), isLoaded: false, spent: NOTHING, all: NOTHING, pending, suspicion: 0 }
}

function newSeed(): number {
  return randomInt(2 ** 32)
}
