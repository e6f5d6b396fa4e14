// The banks of a deployment, and what each organisation calls them. A name is unique among the banks that an organisation may know of, and says
// nothing about any other bank: whoever makes a bank cannot find out whether a bank that is hidden from it has the same name.

import { type Bank, isKnownSinceMs, isVisibleTo, labelOf } from '../../domain/organisations/bank.js'
import { exactNameOf } from '../../store/organisations/exact-name.js'

/** Banks by the name that they have in the store. */
export class BankTable extends Map<string, Bank> {
  // Invariant: of each label that several banks share, or did, the names in the store that are not the label itself.
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

  /** Is any name shared? Where none is, each bank is called by its name. */
  get isAnyShared(): boolean {
    return this.#namesakes.size > 0
  }

  /** What an organisation calls a bank: its label, unless another bank comes before it that the organisation calls so. */
  shownTo(orgId: string, bank: Bank): string {
    const label = labelOf(bank.name)
    if (!this.#namesakes.has(label)) return label
    return this.#called(label, orgId)?.name === bank.name ? label : exactNameOf(bank)
  }

  /** The bank that an organisation calls so. It may be one that the organisation may not know of: that is for the caller to ask. */
  named(orgId: string, shown: string): Bank | undefined {
    const label = labelOf(shown)
    if (label !== shown) return this.#sharing(label).find((bank) => exactNameOf(bank) === shown)
    return this.#called(label, orgId)
  }

  /** For an operator, who means one bank and no other: `undefined` for a label that several banks have. */
  single(name: string): Bank | undefined {
    const label = labelOf(name)
    if (label !== name) return this.#sharing(label).find((bank) => exactNameOf(bank) === name)
    const [bank, ...others] = this.#sharing(label)
    return others.length === 0 ? bank : undefined
  }

  /** Its own bank comes first, then the one that it has known longest: nobody takes a name over by letting others know of a bank later. */
  #called(label: string, orgId: string): Bank | undefined {
    const rank = (bank: Bank) => {
      if (bank.orgId === orgId) return -1
      const mayKnow = isVisibleTo(bank, orgId) && bank.removedAtMs === undefined
      return mayKnow ? isKnownSinceMs(bank, orgId) : Number.POSITIVE_INFINITY
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
