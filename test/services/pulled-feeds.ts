// A service that pulls feeds of every protocol from one server, which answers as a test says.

import type { Test } from 'tap'
import type { EXCHANGE_APIS } from '../../src/domain/organisations/exchange.js'
import { exchangesIn } from '../../src/exchange/exchange-config.js'
import { keyFor, startService } from '../helpers/service.js'
import { type StandInAnswer, standInServer } from '../helpers/stand-in.js'

/** Its banks have the names of the protocols. */
export function startPulledFeeds(t: Test) {
  const standIn = standInServer()
  t.teardown(() => standIn.end())
  const { asked } = standIn
  const pulled = new Set<string>()
  const ready = standIn.begin().then(async (base) => {
    const settings: Readonly<Record<(typeof EXCHANGE_APIS)[number], object>> = {
      stopncii: { baseUrl: `${base}/v1`, functionKey: 'fk', subscriptionKey: 'sk' },
      ncmec: { baseUrl: `${base}/hashsharing`, username: 'u', password: 'p', adultClassifications: ['NCII'] },
      threatexchange: { baseUrl: `${base}/v21.0`, privacyGroup: '77', accessToken: '12345678|secret' },
      tat: { baseUrl: `${base}/`, username: 'u', password: 'p&=' },
    }
    const exchanges = Object.entries(settings).map(([api, own]) => ({ api, ...own, name: api, bank: api }))
    const json = JSON.stringify({ exchanges })
    const service = await startService(t, { exchanges: exchangesIn(json) })
    const { headers } = await keyFor(service, 'operator', ['signals:write', 'match', 'admin'], 'operator')
    for (const { name } of exchanges)
      await service.app.inject({ method: 'POST', url: '/v1/banks', headers, payload: { name } })
    const found = async (...hashes: string[]) => {
      const payload = { queries: hashes.map((hash) => ({ signals: [{ type: 'pdq', hash }] })) }
      const response = await service.app.inject({ method: 'POST', url: '/v1/match', headers, payload })
      return response.json<{ results: { matches: unknown[] }[] }>().results.map(({ matches }) => matches.length)
    }
    const pull = async (name: string, ...pages: StandInAnswer[]) => {
      asked.length = 0
      pulled.add(name)
      standIn.answerWith(...pages)
      return (await service.services.exchanges.pull(name)).progress
    }
    return { base, service, headers, found, pull }
  })
  return { standIn, asked, pulled, ready }
}
