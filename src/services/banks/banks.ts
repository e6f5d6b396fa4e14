// Banks, and which of them a caller may see and write to.

import { type Bank, CASES_BANK_NAME, HARMLESS_BANK_NAME, isVisibleTo } from '../../../packages/core/src/matching/bank.js'
import type { Caller } from '../../domain/organisations/access.js'
import { Problem } from '../../domain/problem.js'
import type { ApiKeys } from '../../store/organisations/api-keys.js'
import type { Banks as BankStore } from '../../store/organisations/banks.js'
import { exactName, exactNameOf } from '../../store/organisations/exact-name.js'
import type { Replica } from '../index/replica.js'
import type { BankErasing } from './bank-erasure.js'

/** A bank, and what the caller calls it. */
export interface ShownBank extends Bank {
  readonly shownAs: string
  /** Unique in the deployment, unlike `shownAs`. */
  readonly exactName: string
}

/** Banks as one caller sees them. Every `name` is the caller's own name of a bank. */
export interface Banks {
  /**
   * Creates a bank. Only an operator may create an allowlist (`harmless`): pictures near its entries no longer match.
   * @param readers names of organisations that may see it; undefined for all.
   * @throws {Problem} bank-exists, banks-full, scope-missing, organisation-unknown
   */
  create(
    caller: Caller,
    bank: Pick<Bank, 'name' | 'purpose' | 'thresholdBits'>,
    readers: readonly string[] | undefined,
  ): Promise<ShownBank>
  /** Effective here when it resolves, elsewhere within one second. @throws {Problem} bank-unknown, organisation-unknown */
  setReaders(caller: Caller, name: string, readers: readonly string[] | undefined): Promise<ShownBank>
  /** Effective here when it resolves, elsewhere within one second; 0 disables matching on every route. @throws {Problem} bank-unknown */
  setRatio(caller: Caller, name: string, enabledRatio: number): Promise<ShownBank>
  /** Stops matching here when it resolves, elsewhere within one second. @throws {Problem} bank-unknown */
  remove(caller: Caller, name: string): Promise<void>
  /** The banks that the caller may see; all for an operator. */
  list(caller: Caller): readonly ShownBank[]
  /** Also finds a bank that another process has just created. @throws {Problem} bank-unknown, also for a bank of another organisation */
  writable(caller: Caller, name: string): Promise<ShownBank>
}

export interface BankParts {
  readonly banks: Pick<BankStore, 'get' | 'add' | 'setReaders' | 'setRatio' | 'markRemoved'>
  readonly organisations: Pick<ApiKeys, 'orgByName'>
  readonly replica: Pick<Replica, 'catalogue' | 'reached'>
  readonly erasing: Pick<BankErasing, 'sweep'>
  readonly now: () => number
}

export function createBanks({ banks, organisations, replica, erasing, now }: BankParts): Banks {
  const mayKnow = (caller: Caller, bank: Bank) =>
    bank.removedAtMs === undefined && (caller.scopes.has('admin') || isVisibleTo(bank, caller.orgId))

  const ownBank = async ({ orgId }: Caller, name: string): Promise<Bank | undefined> => {
    const known = replica.catalogue.banks.named(orgId, name)
    if (known?.orgId === orgId) return known
    // Another organisation's bank takes the same reads as an unknown one, so that timing does not reveal it.
    for (const each of [name, exactName(name, orgId)]) {
      const bank = await banks.get(each)
      if (bank?.orgId === orgId) return bank
    }
    return undefined
  }

  const writable = async (caller: Caller, name: string): Promise<ShownBank> => {
    const isOperators = name === HARMLESS_BANK_NAME && caller.scopes.has('admin')
    const bank = isOperators ? replica.catalogue.banks.get(name) : await ownBank(caller, name)
    if (bank === undefined || bank.removedAtMs !== undefined) throw new Problem('bank-unknown')
    return shown(bank, name)
  }

  const readersNamed = async (names: readonly string[] | undefined): Promise<Bank['readers']> => {
    if (names === undefined) return undefined
    const readers = new Map<string, string>()
    for (const name of names) {
      const org = await organisations.orgByName(name)
      if (org === undefined) throw new Problem('organisation-unknown')
      readers.set(org.orgId, name)
    }
    return Object.fromEntries(readers)
  }

  return {
    async create(caller, { name, purpose, thresholdBits }, readerNames) {
      if (purpose === 'harmless' && !caller.scopes.has('admin')) throw new Problem('scope-missing', { scope: 'admin' })
      if (name === CASES_BANK_NAME || name === HARMLESS_BANK_NAME) throw new Problem('bank-exists')
      const readers = await readersNamed(readerNames)
      const given = { name, purpose, orgId: caller.orgId, thresholdBits, createdAtMs: now(), readers }
      const added = await banks.add(given, `key:${caller.keyId}`, caller.scopes.has('admin'))
      if (added === undefined) throw new Problem('bank-exists')
      if (added === 'full') throw new Problem('banks-full')
      await replica.reached(added.revision)
      return shown(added.bank, name)
    },
    async setReaders(caller, name, readerNames) {
      const bank = await writable(caller, name)
      const readers = await readersNamed(readerNames)
      const revision = await banks.setReaders(bank, readers, `key:${caller.keyId}`, now())
      if (revision === undefined) throw new Problem('bank-unknown') // everybody can read the deployment's own bank
      await replica.reached(revision)
      return { ...bank, readers }
    },
    async setRatio(caller, name, enabledRatio) {
      const bank = await writable(caller, name)
      const revision = await banks.setRatio(bank, enabledRatio, `key:${caller.keyId}`, now())
      if (revision === undefined) throw new Problem('bank-unknown')
      await replica.reached(revision)
      return { ...bank, enabledRatio }
    },
    async remove(caller, name) {
      const bank = await writable(caller, name)
      const revision = await banks.markRemoved(bank, `key:${caller.keyId}`, now())
      if (revision === undefined) throw new Problem('bank-unknown')
      await replica.reached(revision)
      await erasing.sweep()
    },
    list(caller) {
      const { banks: all } = replica.catalogue
      return [...all.values()].flatMap((bank) =>
        mayKnow(caller, bank) ? [shown(bank, all.shownTo(caller.orgId, bank))] : [],
      )
    },
    writable,
  }
}

function shown(bank: Bank, shownAs: string): ShownBank {
  return { ...bank, shownAs, exactName: exactNameOf(bank) }
}
