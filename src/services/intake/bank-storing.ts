// Stores and erases signals of banks: what may not be handed in again, quotas, and the tier.

import type { Signal, Tier } from '../../domain/matching/signal.js'
import type { OrgKind } from '../../domain/organisations/access.js'
import type { Bank } from '../../domain/organisations/bank.js'
import type { NewSignal } from '../../domain/organisations/bank-change.js'
import { Problem } from '../../domain/problem.js'
import type { Images, StoredImage } from '../../store/images/images.js'
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

/** @throws {Problem} bank-unknown when the bank was removed meanwhile: taking a file may last an hour. */
export async function putInto(
  { images }: BankStoringParts,
  bank: Bank,
  stored: readonly StoredImage[],
  run?: ImportRun,
): Promise<number> {
  if (bank.orgId === undefined) return images.put(stored, run) // the deployment's own are always there
  const revision = await images.putInto(bank, stored, run)
  if (revision === undefined) throw new Problem('bank-unknown')
  return revision
}

/**
 * Asks in one round trip which signals may not be handed in again, and whether the account may report. Only `mayReport` throws when it may
 * not, so that nothing is refused where nothing is left to report.
 */
export async function askStore({ quotas, invalidatedSignals }: BankStoringParts, bank: Bank, signals: readonly Signal[]) {
  const may = bank.orgId === undefined ? Promise.resolve() : quotas.mayReport(`org:${bank.orgId}`)
  may.catch(() => {}) // `mayReport` may never be called
  return { invalidated: await invalidatedSignals.refusedOf(bank.orgId, signals), mayReport: () => may }
}

export async function storeSignals(
  parts: BankStoringParts,
  bank: Bank,
  added: readonly { readonly id: string; readonly given: NewSignal }[],
  run?: ImportRun,
): Promise<number> {
  if (bank.orgId !== undefined) await parts.quotas.handIn(bank.orgId, added.length)
  return putInto(parts, bank, await recordsOf(parts, bank, added), run)
}

/** The highest tier of a bank's signals. A platform reports for itself: nobody who knows the person has attested it. */
export async function tierFor({ kindOf }: BankStoringParts, { orgId }: Bank): Promise<'self-reported' | 'ngo-attested'> {
  return orgId !== undefined && (await kindOf(orgId)) === 'platform' ? 'self-reported' : 'ngo-attested'
}

async function recordsOf(
  parts: BankStoringParts,
  bank: Bank,
  added: readonly { readonly id: string; readonly given: NewSignal }[],
): Promise<StoredImage[]> {
  const createdAtMs = parts.now()
  const most = await tierFor(parts, bank)
  const tierOf = (given: Tier | undefined) => (given === 'self-reported' ? given : most)
  return added.map(({ id, given: { signal, picture: signals = [signal], ref, category, tier: given } }) => ({
    id,
    image: { bank: bank.name, tier: tierOf(given), category, ref, createdAtMs, signals },
  }))
}

/** Stores all in one round trip. @returns `undefined` when there is an objection; `askStore` says which. @throws {Problem} bank-unknown */
export async function storeUnasked(
  parts: BankStoringParts,
  bank: Bank,
  added: readonly { readonly id: string; readonly given: NewSignal }[],
): Promise<number | undefined> {
  const { images, quotas, invalidatedSignals, now } = parts
  const { orgId } = bank
  if (orgId === undefined || quotas.isCounted || added.length === 0) return undefined
  const digests = invalidatedSignals.digestsOf(signalsIn(added.map(({ given }) => given)))
  const objections = { ...quotas.reporting(`org:${orgId}`), orgId, digests, atMs: now() }
  const revision = await images.putIntoUnless(bank, await recordsOf(parts, bank, added), objections)
  if (revision === undefined) throw new Problem('bank-unknown')
  return revision === 'objected' ? undefined : revision
}

/** @returns the revisions of the tombstones, by the ids of what was there. */
export async function eraseFrom(
  { images }: BankStoringParts,
  bank: Bank,
  ids: readonly string[],
  run: ImportRun | undefined,
): Promise<Map<string, number>> {
  const found = ids.length === 0 ? [] : await images.get(ids)
  const own = ids.filter((_, i) => found[i]?.bank === bank.name)
  const guard = { bank: owned(bank), run }
  const revisions = await Promise.all(own.map((id) => images.erase(id, undefined, guard)))
  return new Map(own.flatMap((id, i) => (revisions[i] === undefined ? [] : [[id, revisions[i]]])))
}

/** The deployment's own banks are always the same. */
export function owned(bank: Bank): Bank | undefined {
  return bank.orgId === undefined ? undefined : bank
}

export function signalsIn(added: readonly NewSignal[]): Signal[] {
  return added.map(({ signal }) => signal)
}
