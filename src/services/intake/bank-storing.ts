// Stores and erases signals of banks. Checks resubmission blocks and quotas, and assigns the tier.

import type { Bank } from '../../../packages/core/src/matching/bank.js'
import type { Signal, Tier } from '../../../packages/core/src/matching/signal.js'
import type { OrgKind } from '../../domain/organisations/access.js'
import type { NewSignal } from '../../domain/organisations/bank-change.js'
import { Problem } from '../../domain/problem.js'
import type { StoredImage } from '../../store/images/image-reads.js'
import type { Images } from '../../store/images/images.js'
import type { ImportRun } from '../../store/redis/guarded-writes.js'
import type { Quotas } from './quotas.js'
import type { InvalidatedSignals } from './resubmission-block.js'

export interface BankStoringParts {
  readonly images: Images
  readonly quotas: Quotas
  readonly invalidatedSignals: InvalidatedSignals
  /** The kind of an organisation; `undefined` for an unknown one. */
  readonly kindOf: (orgId: string) => Promise<OrgKind | undefined>
  readonly now: () => number
}

/** @returns the revision of the change. @throws {Problem} bank-unknown if the bank was removed meanwhile: an import may last an hour. */
export async function putInto(
  { images }: BankStoringParts,
  bank: Bank,
  stored: readonly StoredImage[],
  run?: ImportRun,
): Promise<number> {
  if (bank.orgId === undefined) return images.put(stored, run) // a bank of the deployment cannot be removed
  const revision = await images.putInto(bank, stored, run)
  if (revision === undefined) throw new Problem('bank-unknown')
  return revision
}

/**
 * Asks the store in one round trip which of `added` are blocked from resubmission, and whether the account may report. For a suspended account only
 * `mayReport` rejects. Call it only if one is not blocked: a caller with nothing to report is not refused.
 */
export async function askStore({ quotas, invalidatedSignals }: BankStoringParts, bank: Bank, added: readonly NewSignal[]) {
  const may = bank.orgId === undefined ? Promise.resolve() : quotas.mayReport(`org:${bank.orgId}`)
  may.catch(() => {}) // `mayReport` may never be called
  const isBlocked = await invalidatedSignals.blockedAmong(bank.orgId, added.map(allSignalsOf))
  return { invalidated: new Set(added.filter((_, i) => isBlocked[i])), mayReport: () => may }
}

/** Counts the signals against the daily quota and stores them. @returns the revision. @throws {Problem} quota-exceeded, bank-unknown */
export async function storeSignals(
  parts: BankStoringParts,
  bank: Bank,
  added: readonly { readonly id: string; readonly given: NewSignal }[],
  run?: ImportRun,
): Promise<number> {
  if (bank.orgId !== undefined) await parts.quotas.handIn(bank.orgId, added.length)
  return putInto(parts, bank, await recordsOf(parts, bank, added), run)
}

/** The highest tier that a bank's signals can have. A platform's own signals are self-reported: no NGO has attested them. */
export async function tierFor({ kindOf }: BankStoringParts, { orgId }: Bank): Promise<'self-reported' | 'ngo-attested'> {
  return orgId !== undefined && (await kindOf(orgId)) === 'platform' ? 'self-reported' : 'ngo-attested'
}

async function recordsOf(
  parts: BankStoringParts,
  bank: Bank,
  added: readonly { readonly id: string; readonly given: NewSignal }[],
): Promise<StoredImage[]> {
  const createdAtMs = parts.now()
  const maxTier = await tierFor(parts, bank)
  const tierOf = (given: Tier | undefined) => (given === 'self-reported' ? given : maxTier)
  return added.map(({ id, given: { signal, picture: signals = [signal], video, ref, category, tier: given } }) => ({
    id,
    image: {
      ...{ bank: bank.name, tier: tierOf(given), category, ref, createdAtMs, signals },
      ...(video !== undefined && { video }),
    },
  }))
}

/**
 * Checks and stores all signals in one round trip.
 * @returns the revision; `undefined` if nothing was stored: a check failed, or the bank belongs to the deployment, or a daily quota must be counted.
 *   Then use `askStore` and `storeSignals`.
 * @throws {Problem} bank-unknown
 */
export async function storeIfAllowed(
  parts: BankStoringParts,
  bank: Bank,
  added: readonly { readonly id: string; readonly given: NewSignal }[],
): Promise<number | undefined> {
  const { images, quotas, invalidatedSignals, now } = parts
  const { orgId } = bank
  if (orgId === undefined || quotas.isCounted || added.length === 0) return undefined
  const digests = invalidatedSignals.digestsOf(added.map(({ given }) => allSignalsOf(given)))
  const objections = { ...quotas.reporting(`org:${orgId}`), orgId, digests, atMs: now() }
  const revision = await images.putIntoUnless(bank, await recordsOf(parts, bank, added), objections)
  if (revision === undefined) throw new Problem('bank-unknown')
  return revision === 'objected' ? undefined : revision
}

/** Erases the images of this bank among `ids`. @returns the revision of each tombstone, by the id of the erased image. */
export async function eraseFrom(
  { images }: BankStoringParts,
  bank: Bank,
  ids: readonly string[],
  run: ImportRun | undefined,
): Promise<Map<string, number>> {
  const found = ids.length === 0 ? [] : await images.facts(ids)
  const own = ids.filter((_, i) => found[i]?.bank === bank.name)
  const guard = { bank: owned(bank), run }
  const revisions = await Promise.all(own.map((id) => images.erase(id, undefined, guard)))
  return new Map(own.flatMap((id, i) => (revisions[i] === undefined ? [] : [[id, revisions[i]]])))
}

/** The bank, if an organisation owns it. Only then must a write check that the bank still exists. */
export function owned(bank: Bank): Bank | undefined {
  return bank.orgId === undefined ? undefined : bank
}

function allSignalsOf({ signal, picture = [signal] }: NewSignal): readonly Signal[] {
  return picture
}
