// Simulates an HMA that pulls from a Tabir, with HMA's own faults: it keeps what it fetched, even when it is withdrawn later.

import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'
import { z } from 'zod'

const Page = z.object({
  nextSetTimestamp: z.int(),
  nextPageToken: z.string().nullish(),
  hasMoreRecords: z.boolean(),
  hashRecords: z.array(z.object({ signalType: z.string(), hashValue: z.string(), hashStatus: z.string() })),
})

interface Content {
  readonly bank: string
  readonly pdq: string
  /** Of the record that it was imported from. */
  readonly fetchKey: string | undefined
  disableUntil: number
}

export interface HmaServerOptions {
  /** HMA before 1.1 keeps what was imported. */
  readonly keepsImported?: boolean
  /** Called before every answer. */
  readonly onRequest?: (method: string, path: string) => Promise<void> | void
}

export async function startHma(t: Pick<Test, 'teardown'>, options: HmaServerOptions = {}) {
  const banks = new Map<string, number>()
  const exchanges = new Map<string, { api: string }>()
  const contents = new Map<number, Content>()
  const fetched = new Map<string, number>()
  const requests: string[] = []
  const checkpoints = new Map<string, number>()
  let lastId = 0
  let answersWith: number | undefined
  let key: string | undefined

  /** As its fetcher does: by the last time, page by page, one content for each record, none ever removed. */
  async function fetchFrom(baseUrl: string, headers: Record<string, string>, bank: string): Promise<void> {
    const checkpointS = checkpoints.get(bank) ?? 10
    let token: string | undefined
    do {
      const query = new URLSearchParams({ startTimestamp: String(checkpointS), pageSize: '800' })
      if (token !== undefined) query.set('nextPageToken', token)
      const answer = await fetch(`${baseUrl}/FetchHashes?${query}`, { headers })
      if (!answer.ok) throw new Error(await answer.text())
      const page = Page.parse(await answer.json())
      if (page.nextSetTimestamp < checkpointS) throw new Error('its checkpoint must not rewind')
      for (const { signalType, hashValue } of page.hashRecords) {
        const fetchKey = `${signalType}|${hashValue}`
        if (contents.has(fetched.get(`${bank} ${fetchKey}`) ?? 0)) continue
        fetched.set(`${bank} ${fetchKey}`, add(bank, hashValue, fetchKey))
      }
      if (!page.hasMoreRecords) checkpoints.set(bank, page.nextSetTimestamp)
      token = page.nextPageToken ?? undefined
    } while (token !== undefined)
  }

  function add(bank: string, pdq: string, fetchKey?: string, id = ++lastId): number {
    contents.set(id, { bank, pdq, fetchKey, disableUntil: 1 })
    return id
  }

  function answerTo(method: string, path: string, query: URLSearchParams, body: Record<string, unknown>): [number, unknown] {
    const message = (text: string) => ({ message: text })
    const [, part, name = '', what, idText] = path.split('/').filter((piece) => piece !== '')
    const id = Number(idText)
    if (part === 'banks' && method === 'POST') {
      const bank = String(body['name'])
      if (banks.has(bank)) return [403, message('Bank already exists')]
      banks.set(bank, Number(body['enabled_ratio'] ?? 1))
      return [201, { name: bank, matching_enabled_ratio: banks.get(bank) }]
    }
    if (part === 'exchanges') return [200, [...exchanges.keys()]]
    if (part === 'exchange') {
      const exchange = exchanges.get(name)
      return exchange === undefined
        ? [404, message(`Exchange '${name}' not found`)]
        : [200, { name, enabled: true, ...exchange }]
    }
    if (part !== 'bank' || !banks.has(name)) return [404, message(`bank '${name}' not found`)]
    if (what === 'signal') {
      const pdq = String(body['pdq'])
      return [200, { id: add(name, pdq), signals: { pdq } }]
    }
    const content = contents.get(id)
    if (method === 'DELETE') {
      const goes = content !== undefined && !(options.keepsImported === true && content.fetchKey !== undefined)
      if (goes) contents.delete(id)
      return [200, { deleted: goes ? 1 : 0 }]
    }
    if (content === undefined) return [404, message(`content '${id}' not found`)]
    if (method === 'PUT') content.disableUntil = Number(body['disable_until_ts'])
    return [
      200,
      {
        id,
        disable_until_ts: content.disableUntil,
        original_media_uri: null,
        bank: { name: content.bank, matching_enabled_ratio: banks.get(content.bank) },
        ...(query.get('include_signals') === 'true' && { signals: { pdq: content.pdq } }),
        ...(content.fetchKey !== undefined && {
          metadata: { content_id: null, content_uri: null, json: null, collab: { [content.bank]: [content.fetchKey] } },
        }),
      },
    ]
  }

  const server = createServer(async (request, response) => {
    let text = ''
    for await (const chunk of request) text += chunk
    const { method = '' } = request
    const url = new URL(request.url ?? '', 'http://x')
    requests.push(`${method} ${url.pathname}`)
    await options.onRequest?.(method, url.pathname)
    const isAllowed = key === undefined || request.headers.authorization === `Bearer ${key}`
    const [status, body] = !isAllowed
      ? [401, 'Authentication required']
      : answersWith !== undefined
        ? [answersWith, '<html>']
        : answerTo(method, url.pathname, url.searchParams, text === '' ? {} : JSON.parse(text))
    response.writeHead(status, { 'content-type': 'application/json' })
    response.end(typeof body === 'string' ? body : JSON.stringify(body))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    contents,
    requests,
    add,
    fetchFrom,
    makeBank: (name: string) => void banks.set(name, 1),
    makeExchange(name: string, api = 'stop_ncii') {
      banks.set(name, 1)
      exchanges.set(name, { api })
    },
    removeExchange(name: string) {
      banks.delete(name)
      exchanges.delete(name)
      for (const [id, { bank }] of contents) if (bank === name) contents.delete(id)
    },
    /** Assigns ids to new content. @returns a function that writes it. */
    beginWrite(bank: string, hashes: readonly string[]) {
      const first = lastId + 1
      lastId += hashes.length
      return () => hashes.forEach((pdq, i) => void add(bank, pdq, `ImagePDQ|${pdq}`, first + i))
    },
    answerAlways(status: number | undefined) {
      answersWith = status
    },
    askForKey(needed: string) {
      key = needed
    },
    /** Whether a lookup finds it. */
    matches: (hash: string) =>
      [...contents.values()].some(
        ({ pdq, bank, disableUntil }) => pdq === hash && disableUntil !== 0 && banks.get(bank) !== 0,
      ),
  }
}
export type HmaServer = Awaited<ReturnType<typeof startHma>>
