// The banks of a deployment, and their names as each organisation sees them. A name is unique among the banks that the organisation may know of.
// Creating a bank does not show whether a hidden bank has the same name.

import { type Bank, isVisibleTo, knownSinceMsOf, labelOf } from '../../../packages/core/src/matching/bank.js'
import { exactNameOf } from '../../store/organisations/exact-name.js'

/** Banks by their name in the store. */
export class BankTable extends Map<string, Bank> {
  // Stored names that differ from their label, by label. Invariant: every label that several banks share, or shared, is here.
  readonly #namesakes = new Map<string, Set<string>>()

  constructor(banks: Iterable<Bank>) {
    super()
    for (const bank of banks) this.set(bank.name, bank)
  }

  override set(name: string, bank: Bank): this {
    const label = labelOf(name)
    if (label !== name) this.#namesakes.set(label, (this.#namesakes.get(label) ?? new Set()).add(name))
    return super.set(name, bank)
  }

  override delete(name: string): boolean {
    const label = labelOf(name)
    const names = this.#namesakes.get(label)
    if (names?.delete(name) && names.size === 0) this.#namesakes.delete(label)
    return super.delete(name)
  }

  /** Whether any label is shared. If not, every bank is shown by its label. */
  get isAnyShared(): boolean {
    return this.#namesakes.size > 0
  }

  /**
   * The name under which an organisation sees a bank: its label, or its exact name if another bank with this label takes
   * precedence.
   */
  shownTo(orgId: string, bank: Bank): string {
    const label = labelOf(bank.name)
    if (!this.#namesakes.has(label)) return label
    return this.#called(label, orgId)?.name === bank.name ? label : exactNameOf(bank)
  }

  /** The bank that an organisation sees under this name. The caller must check whether the organisation may know of it. */
  named(orgId: string, shown: string): Bank | undefined {
    const label = labelOf(shown)
    if (label !== shown) return this.#sharing(label).find((bank) => exactNameOf(bank) === shown)
    return this.#called(label, orgId)
  }

  /** The bank of a name as an operator gives it; `undefined` for a label that several banks share. */
  single(name: string): Bank | undefined {
    const label = labelOf(name)
    if (label !== name) return this.#sharing(label).find((bank) => exactNameOf(bank) === name)
    const [bank, ...others] = this.#sharing(label)
    return others.length === 0 ? bank : undefined
  }

  /**
   * The bank with precedence for a label: the organisation's own, then the one that it has known longest. So a bank that is shared later cannot take
   * over a name.
   */
  #called(label: string, orgId: string): Bank | undefined {
    const rank = (bank: Bank) => {
      if (bank.orgId === orgId) return -1
      const mayKnow = isVisibleTo(bank, orgId) && bank.removedAtMs === undefined
      return mayKnow ? knownSinceMsOf(bank, orgId) : Number.POSITIVE_INFINITY
    }
    return this.#sharing(label).reduce<Bank | undefined>(
      (first, bank) => (first === undefined || rank(bank) < rank(first) ? bank : first),
      undefined,
    )
  }

  #sharing(label: string): Bank[] {
    const names = [label, ...[...(this.#namesakes.get(label) ?? [])].sort()]
    return names.flatMap((name) => this.get(name) ?? [])
  }
}
