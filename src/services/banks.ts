// Banks, and which of them a caller may write to or ask.

import type { Caller } from '../domain/access.js'
import { type Bank, CASES_BANK_NAME, HARMLESS_BANK_NAME } from '../domain/bank.js'
import { Problem } from '../domain/problem.js'
import type { Banks as BankStore } from '../store/banks.js'
import type { Replica } from './replica.js'

export interface Banks {
  /**
   * A bank that vetoes is an operator's to make: whoever may add to one can make pictures unfindable.
   * @throws {Problem} bank-exists, scope-missing
   */
  create(caller: Caller, bank: Pick<Bank, 'name' | 'purpose' | 'thresholdBits'>): Promise<Bank>
  list(): readonly Bank[]
  /** Also one that another process made a moment ago. @throws {Problem} bank-unknown, also for a bank that belongs to somebody else. */
  writable(caller: Caller, name: string): Promise<Bank>
}

export interface BankParts {
  readonly banks: BankStore
  readonly replica: Replica
  readonly now: () => number
}

export function banksFrom({ banks, replica, now }: BankParts): Banks {
  return {
    async create(caller, { name, purpose, thresholdBits }) {
      if (purpose === 'harmless' && !caller.scopes.has('admin')) throw new Problem('scope-missing')
      if (name === CASES_BANK_NAME || name === HARMLESS_BANK_NAME) throw new Problem('bank-exists')
      const bank: Bank = { name, purpose, orgId: caller.orgId, thresholdBits, createdAtMs: now() }
      const revision = await banks.add(bank, `key:${caller.keyId}`)
      if (revision === undefined) throw new Problem('bank-exists')
      await replica.reached(revision)
      return bank
    },
    list: () => [...replica.catalogue.banks.values()],
    async writable(caller, name) {
      const bank = replica.catalogue.banks.get(name) ?? (await banks.get(name))
      const isOperators = name === HARMLESS_BANK_NAME && caller.scopes.has('admin')
      if (bank === undefined || (bank.orgId !== caller.orgId && !isOperators)) throw new Problem('bank-unknown')
      return bank
    },
  }
}
