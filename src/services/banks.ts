// Banks, and which of them a caller may know of and write to.

import type { Caller } from '../domain/access.js'
import { type Bank, CASES_BANK_NAME, HARMLESS_BANK_NAME, isVisibleTo } from '../domain/bank.js'
import { Problem } from '../domain/problem.js'
import type { ApiKeys } from '../store/api-keys.js'
import type { Banks as BankStore } from '../store/banks.js'
import type { BankErasing } from './bank-erasing.js'
import type { Replica } from './replica.js'

export interface Banks {
  /**
   * A bank that vetoes is an operator's to make: whoever may add to one can make pictures unfindable.
   * @param readers names of organisations that may know of it; undefined for all.
   * @throws {Problem} bank-exists, scope-missing, organisation-unknown
   */
  create(
    caller: Caller,
    bank: Pick<Bank, 'name' | 'purpose' | 'thresholdBits'>,
    readers: readonly string[] | undefined,
  ): Promise<Bank>
  /** Of this process at once, of others within a second. @throws {Problem} bank-unknown, organisation-unknown */
  setReaders(caller: Caller, name: string, readers: readonly string[] | undefined): Promise<Bank>
  /** Of this process at once, of others within a second; 0 is for no match on any route. @throws {Problem} bank-unknown */
  setRatio(caller: Caller, name: string, enabledRatio: number): Promise<Bank>
  /** Nothing is found in it from the answer on, within a second nowhere. @throws {Problem} bank-unknown */
  remove(caller: Caller, name: string): Promise<void>
  /** Those that the caller may know of; all for an operator. */
  list(caller: Caller): readonly Bank[]
  /** One of these. @throws {Problem} bank-unknown */
  visible(caller: Caller, name: string): Bank
  /** Also one that another process made a moment ago. @throws {Problem} bank-unknown, also for a bank that belongs to somebody else. */
  writable(caller: Caller, name: string): Promise<Bank>
}

export interface BankParts {
  readonly banks: Pick<BankStore, 'get' | 'add' | 'setReaders' | 'setRatio' | 'markRemoved'>
  readonly organisations: Pick<ApiKeys, 'orgByName'>
  readonly replica: Pick<Replica, 'catalogue' | 'reached'>
  readonly erasing: Pick<BankErasing, 'sweep'>
  readonly now: () => number
}

export function banksFrom({ banks, organisations, replica, erasing, now }: BankParts): Banks {
  const mayKnow = (caller: Caller, bank: Bank) =>
    bank.removedAtMs === undefined && (caller.scopes.has('admin') || isVisibleTo(bank, caller.orgId))

  const writable = async (caller: Caller, name: string): Promise<Bank> => {
    const bank = replica.catalogue.banks.get(name) ?? (await banks.get(name))
    const isOperators = name === HARMLESS_BANK_NAME && caller.scopes.has('admin')
    if (bank === undefined || bank.removedAtMs !== undefined || (bank.orgId !== caller.orgId && !isOperators))
      throw new Problem('bank-unknown')
    return bank
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
      if (purpose === 'harmless' && !caller.scopes.has('admin')) throw new Problem('scope-missing')
      if (name === CASES_BANK_NAME || name === HARMLESS_BANK_NAME) throw new Problem('bank-exists')
      const readers = await readersNamed(readerNames)
      const given: Bank = { name, purpose, orgId: caller.orgId, thresholdBits, createdAtMs: now(), readers }
      const added = await banks.add(given, `key:${caller.keyId}`)
      if (added === undefined) throw new Problem('bank-exists')
      await replica.reached(added.revision)
      return added.bank
    },
    async setReaders(caller, name, readerNames) {
      const bank = await writable(caller, name)
      const readers = await readersNamed(readerNames)
      const revision = await banks.setReaders(bank, readers, `key:${caller.keyId}`, now())
      if (revision === undefined) throw new Problem('bank-unknown') // the deployment's own is everybody's
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
    list: (caller) => [...replica.catalogue.banks.values()].filter((bank) => mayKnow(caller, bank)),
    visible(caller, name) {
      const bank = replica.catalogue.banks.get(name)
      if (bank === undefined || !mayKnow(caller, bank)) throw new Problem('bank-unknown')
      return bank
    },
    writable,
  }
}
