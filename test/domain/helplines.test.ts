import t from 'tap'
import { type Audience, GAPS, HELPLINES, type Helpline } from '../../src/domain/cases/helplines.js'
import { helplinesFor, staleHelplines } from '../../src/domain/cases/hotlines.js'

const EUROPE = 'AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK'.split(' ')
const ASEAN = 'BN ID KH LA MM MY PH SG TH TL VN'.split(' ')
const REQUIRED = [...EUROPE, ...ASEAN, 'AU', 'CA', 'GB', 'IN', 'KR', 'US']
const AUDIENCES: readonly Audience[] = ['adult', 'under18']

const PHONE = /^(\+|\(\d+\) )?\d[\d -]*\d$/
const TIME = /^([01]\d|2[0-3]):[0-5]\d$/

t.test('each helpline can be reached, and says where that was read and when', async (t) => {
  for (const helpline of HELPLINES) {
    const { name, country, whom, url, phone, languages, hours, sources, checked } = helpline
    t.ok(name.trim() === name && name !== '' && whom.length > 0, name)
    t.ok(url ?? phone, `${name} has an address or a number`)
    if (country === undefined || country === 'EU') t.notMatch(name, /,/, `${name}: explained in the language of the page`)
    if (url !== undefined) t.match(new URL(url), { protocol: 'https:', username: '' }, name)
    if (phone !== undefined) t.match(phone, PHONE, name)
    for (const tag of languages ?? []) t.equal(Intl.getCanonicalLocales(tag)[0], tag, name)
    if (hours !== undefined && hours !== 'always') t.ok(TIME.test(hours.from) && TIME.test(hours.to), name)
    t.ok(sources.length > 0, name)
    for (const source of sources) t.equal(new URL(source).protocol, 'https:', name)
    t.equal(new Date(checked).toISOString().slice(0, 10), checked, name)
    t.notMatch(JSON.stringify(helpline), /@(?!SCWO)/, `${name}: no address of a person`)
  }
  const keys = HELPLINES.map(({ country, name, phone }) => `${country} ${name} ${phone}`)
  t.equal(new Set(keys).size, keys.length, 'none is listed twice')
})

t.test('each country of the EU and ASEAN and seven more has helplines, or is named as a gap', async (t) => {
  for (const whom of AUDIENCES) {
    const own = (country: string) => helplinesFor(whom, country).filter((each) => each.country === country).length
    t.same(
      REQUIRED.filter((country) => own(country) === 0).toSorted(),
      GAPS[whom].toSorted(),
      `${whom}: what is missing is said, and nothing else`,
    )
    t.ok(helplinesFor(whom, 'ZZ').length > 0, `${whom}: worldwide ones are shown everywhere`)
  }
  const countries = new Set(HELPLINES.map(({ country }) => country))
  for (const country of countries)
    t.ok(country === undefined || country === 'EU' || REQUIRED.includes(country), `${country} is one of those`)
})

t.test('the own country comes first, then the European Union, then the world', async (t) => {
  const places = helplinesFor('adult', 'AT').map(({ country }) => country)
  t.same([...new Set(places)], ['AT', 'EU', undefined])
  t.same(new Set(helplinesFor('adult', 'MY').map(({ country }) => country)), new Set(['MY', undefined]))
  for (const country of EUROPE)
    t.ok(
      helplinesFor('under18', country).some((each) => each.country === 'EU'),
      country,
    )
})

t.test('a helpline is stale once nobody read its sources for 18 months', async (t) => {
  const helpline: Helpline = {
    country: 'MY',
    whom: ['adult'],
    name: 'A line',
    phone: '123',
    sources: ['https://example.org'],
    checked: '2030-01-31',
  }
  t.same(staleHelplines(new Date('2031-07-31T00:00:00Z'), [helpline]), [])
  t.same(staleHelplines(new Date('2031-08-02T00:00:00Z'), [helpline]), [helpline])
  const last = HELPLINES.map(({ checked }) => checked)
    .toSorted()
    .at(-1)
  t.same(staleHelplines(new Date(last ?? '')), [], 'all were read when the list was last renewed')
})
