import t from 'tap'
import { exchangesIn } from '../../src/exchange/exchange-config.js'

t.test('an invalid file of exchanges is refused without its secrets, and lists about children always are', async (t) => {
  const ncmec = { api: 'ncmec', name: 'n', bank: 'b', username: 'u', password: 'hunter2', adultClassifications: ['NCII'] }
  const wrong = (config: object) => {
    try {
      exchangesIn(JSON.stringify({ exchanges: [config] }))
      return ''
    } catch (error) {
      return String(error)
    }
  }
  t.equal(wrong({ ...ncmec, baseUrl: 'https://hashes.example' }), '')
  for (const host of ['hashsharing.ncmec.org/npo', 'report.cybertip.org/hashsharing', 'NCMEC.org.', 'lesp.ncmec.org'])
    t.match(wrong({ ...ncmec, baseUrl: `https://${host}` }), /about children/, host)
  t.match(wrong({ ...ncmec, baseUrl: 'https://hashes.example', adultClassifications: ['A1'] }), /pictures of children/)
  t.match(wrong({ ...ncmec, baseUrl: 'https://hashes.example', bank: 'cases' }), /exchanges.0.bank/)
  t.notMatch(wrong({ ...ncmec, baseUrl: 'nowhere' }), 'hunter2')
  for (const address of ['https://user:hunter2@hashes.example', 'https://hunter2@hashes.example'])
    t.match(wrong({ ...ncmec, baseUrl: address }), /exchanges.0.baseUrl must have no user and password/)
  t.match(wrong({ api: 'smoke-signals' }), /exchanges.0/)
})
