// Exports of a bank as a file for its owner, plain or encrypted. Each is noted in the audit log before the first byte is sent.

import { Readable } from 'node:stream'
import type { Bank } from '../../../packages/core/src/matching/bank.js'
import type { Caller } from '../../domain/organisations/access.js'
import { Problem } from '../../domain/problem.js'
import { tierWith } from '../../domain/trust/tier.js'
import { NO_TRUST_STATUS } from '../../domain/trust/trust.js'
import { sealedFor } from '../../exchange/age.js'
import { type ExportFormat, headOf, linesOf } from '../../exchange/signal-writer.js'
import type { StoredImage } from '../../store/images/image-reads.js'
import type { Images } from '../../store/images/images.js'
import type { Trusts } from '../../store/trust/trust.js'
import type { Audit } from '../records/audit.js'

/** The caller must choose `plain` explicitly, because pictures can be partly reconstructed from hashes. */
export type ExportForm = { readonly kind: 'plain' } | { readonly kind: 'sealed'; readonly recipient: string }

export interface Exports {
  /**
   * All signals of a bank, unordered. Not a snapshot: changes during the export may be missing.
   * Memory: a shard of the store. Cost: about 10 µs for each image that the deployment has.
   * @param mayStill called for each shard. It throws if the caller lost access; then the export stops.
   * @throws {Problem} request-invalid if the recipient is not a valid key; store-unavailable
   */
  open(caller: Caller, bank: Bank, format: ExportFormat, form: ExportForm, mayStill: () => Promise<void>): Promise<Readable>
}

export interface ExportParts {
  readonly images: Pick<Images, 'all'>
  readonly trusts: Pick<Trusts, 'trustStatuses'>
  readonly audit: Pick<Audit, 'record'>
  /** Called for each damaged record, which the file leaves out. */
  readonly onError: (error: unknown) => void
}

export function createExports({ images, trusts, audit, onError }: ExportParts): Exports {
  return {
    async open({ keyId }, bank, format, form, mayStill) {
      const text = fileOf(bank, format, mayStill)
      const file = form.kind === 'plain' ? Readable.from(text, { objectMode: false }) : await sealedFor(form.recipient, text)
      if (file === undefined) throw new Problem('request-invalid')
      await audit.record('signals.exported', `key:${keyId}`, { bank: bank.name, format, form: form.kind })
      return file
    },
  }

  async function* fileOf(bank: Bank, format: ExportFormat, mayStill: () => Promise<void>): AsyncGenerator<string> {
    const head = headOf(format)
    if (head !== '') yield head
    for await (const all of images.all(onError)) {
      await mayStill()
      const own = all.filter(({ image }) => image.bank === bank.name)
      if (own.length > 0) yield (await banked(own)).map((each) => linesOf(format, each)).join('')
    }
  }

  async function banked(own: readonly StoredImage[]) {
    const trustStatuses = await trusts.trustStatuses(own.map(({ id }) => id))
    return own.map(({ id, image }, i) => {
      const { support, disputed, matches } = trustStatuses[i] ?? NO_TRUST_STATUS
      return { id, image, tier: tierWith(image.tier, support), disputed, matches }
    })
  }
}
