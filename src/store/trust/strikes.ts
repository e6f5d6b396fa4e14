// Strikes of accounts, and how many signals an organisation has submitted today.

import type { AuditActor } from '../../domain/organisations/audit.js'
import type { PageCursor } from '../../domain/page-cursor.js'
import { type Account, isAccount } from '../../domain/trust/strikes.js'
import { writeAudited } from '../audit/audit.js'
import type { Store } from '../redis/client.js'
import { keys } from '../redis/keys.js'
import { cursorOf, lastPageOfSorted } from '../redis/paging.js'
import { addStrike, clearStrikes, takeBackStrike } from '../scripts/trust/strikes.js'

export interface AccountStrikes {
  readonly account: Account
  readonly strikes: number
  readonly lastAtMs: number
}

export interface AccountStrikesPage {
  readonly accounts: readonly AccountStrikes[]
  /** The cursor of the next page; undefined on the last page. */
  readonly next: PageCursor | undefined
}

export interface Strikes {
  /** Adds a strike. Durable when it returns. The same image twice is one strike. */
  add(account: Account, imageId: string, atMs: number): Promise<void>
  /** Withdraws a strike, when the judgement about the image was wrong. Durable when it returns. */
  takeBack(account: Account, imageId: string): Promise<void>
  countSince(account: Account, sinceMs: number): Promise<number>
  /** A page of the accounts with strikes, most recent strike first. */
  accounts(after: PageCursor | undefined, limit: number): Promise<AccountStrikesPage>
  /** Removes all strikes of an account. Recorded in the audit log. @returns how many there were. */
  clear(account: Account, nowMs: number, by?: AuditActor): Promise<number>
  /** Adds to an organisation's signals of one day; a negative number takes back. Not on disk when it returns. @returns the day's sum. */
  handIn(orgId: string, day: string, signals: number): Promise<number>
}

const DAY_TTL_S = 2 * 86_400

export function createStrikeStore(store: Store): Strikes {
  return {
    async add(account, imageId, atMs) {
      await store.write(addStrike, [keys.strikes(account), keys.strikeAccounts], [account, imageId, atMs])
    },
    async takeBack(account, imageId) {
      await store.write(takeBackStrike, [keys.strikes(account), keys.strikeAccounts], [account, imageId])
    },
    countSince: (account, sinceMs) => store.ask((redis) => redis.zcount(keys.strikes(account), sinceMs, '+inf')),
    async accounts(after, limit) {
      const page = await lastPageOfSorted(store, keys.strikeAccounts, { after, limit })
      const listed = page.map(({ member, score }) => ({ account: member.toString('utf8'), lastAtMs: score }))
      const accounts = await Promise.all(
        listed.map(async ({ account, lastAtMs }) => {
          if (!isAccount(account)) return []
          return [{ account, lastAtMs, strikes: await store.ask((redis) => redis.zcard(keys.strikes(account))) }]
        }),
      )
      const last = page.length === limit ? page.at(-1) : undefined
      return { accounts: accounts.flat(), next: last && cursorOf(last) }
    },
    async clear(account, nowMs, by = 'operator') {
      // The id of a case must not get into a log that outlives the case.
      const about = { account: account.startsWith('case:') ? 'case' : account }
      const entry = { act: 'account.forgiven', by, about, atMs: nowMs } as const
      // Blocked digests of an organisation are removed too. For a case this key never exists.
      const blocks = keys.organisationBlocks(account.slice(account.indexOf(':') + 1))
      const scriptKeys = [keys.strikes(account), keys.strikeAccounts, blocks]
      return Number(await writeAudited(store, entry, clearStrikes, scriptKeys, [account], 'reply > 0'))
    },
    async handIn(orgId, day, signals) {
      const key = keys.handedIn(orgId, day)
      return await store.ask(async (redis) => {
        const sum = await redis.incrby(key, signals)
        await redis.expire(key, DAY_TTL_S)
        return sum
      })
    },
  }
}
