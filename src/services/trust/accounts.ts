// For operators: the event list, and accounts with strikes.

import type { AuditActor } from '../../domain/organisations/audit.js'
import type { DomainEvent } from '../../domain/organisations/event.js'
import type { PageCursor } from '../../domain/page-cursor.js'
import { type Account, ruleOf } from '../../domain/trust/strikes.js'
import type { Strikes } from '../../store/trust/strikes.js'
import type { Events } from '../../store/webhooks/events.js'

export interface AccountView {
  readonly account: Account
  readonly strikes: number
  readonly lastAtMs: number
  /** Whether the account is suspended. Then its reports are refused. */
  readonly suspended: boolean
}

export interface AccountPage {
  readonly accounts: readonly AccountView[]
  /** Cursor of the next page; `undefined` on the last page. */
  readonly next: PageCursor | undefined
}

export interface Accounts {
  /** At most `limit` events after an id, oldest first. */
  events(afterId: string | undefined, limit: number): Promise<DomainEvent[]>
  /** A page of accounts, most recent strike first. */
  strikes(after: PageCursor | undefined, limit: number): Promise<AccountPage>
  /** Deletes all strikes of an account. */
  forgive(account: Account, by?: AuditActor): Promise<void>
}

export interface AccountParts {
  readonly events: Events
  readonly strikes: Strikes
  readonly now: () => number
}

export function createAccounts({ events, strikes, now }: AccountParts): Accounts {
  return {
    events: (afterId, limit) => events.list(afterId, limit),
    async strikes(after, limit) {
      const page = await strikes.accounts(after, limit)
      const accounts = await Promise.all(
        page.accounts.map(async ({ account, ...rest }) => {
          const rule = ruleOf(account)
          const recent = await strikes.countSince(account, now() - rule.windowMs)
          return { account, ...rest, suspended: recent >= rule.strikes }
        }),
      )
      return { accounts, next: page.next }
    },
    async forgive(account, by) {
      await strikes.clear(account, now(), by)
    },
  }
}
