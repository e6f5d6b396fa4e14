// Mutations of the code that exchanges data with other systems. Each names its own tests.

import { inFile } from './in-file.mjs'

const of = (file, tests, mutations) => inFile(`src/${file}`, mutations, tests)

const HMA = ['http/hma', 'http/hma-banks']
const ADDRESS = ['http/hma-address']
const STOPNCII = [
  'http/stopncii',
  'http/stopncii-feedback',
  'http/stopncii-fetchers',
  'http/stopncii-withdrawn',
  'http/stopncii-told',
  'http/stopncii-told.model',
]
const FEED = ['http/feed', 'services/feed', 'services/feed.model']
const PULLS = ['services/exchanges', 'services/exchange-protocols']
const RECONCILERS = ['services/reconcilers']
const READERS = ['exchange/signal-lines', 'exchange/unpack', 'fuzz/readers']

const mutations = [
  of('http/routes/hma/hma-banks.ts', HMA, [
    ["new HmaRefusal(403, 'The bank belongs", "new HmaRefusal(404, 'The bank belongs"],
    ['ratio ?? (enabled === undefined', '(enabled === undefined'],
    ['await bankOwned(banks, caller, name)\n      await banks.remove', 'await banks.remove'],
  ]),
  of('http/hma/bank-matches.ts', HMA, [
    ['names?.includes(bank) === false || (ratios', '(ratios'],
    [
      '(ratios.get(bank) ?? 0) < choice.coin',
      '(ratios.get(bank) ?? 0) <= choice.coin',
      'a coin of 53 bits is no ratio that anybody sets',
    ],
  ]),
  of(
    'http/hma/hash-comparison.ts',
    [...HMA, 'http/hma-videos'],
    [
      ['[bits <= WITHIN_BITS', '[bits < WITHIN_BITS'],
      ['query >= MATCH_PERCENT', 'query > MATCH_PERCENT'],
    ],
  ),
  of('http/routes/hma/contents.ts', HMA, [
    [
      'if (bank.orgId !== caller.orgId) throw',
      'if (false) throw',
      'numbers of contents are the organisation’s own, so it finds none of another’s',
    ],
    ['if (seconds < 0)', 'if (seconds < -1)'],
  ]),
  of('http/hma/hma-signals.ts', HMA, [["scopes.has('match:distance') ? distanceBits", 'true ? distanceBits']]),
  of('http/hma/by-address.ts', ADDRESS, [
    ['content ??= contentTypeIn(answer)', 'content ??= PHOTO'],
    [
      '(answer.sizeBytes ?? 0) > uploadLimits.maxImageBytes',
      'false',
      'what is longer than it may be is refused while it is read',
    ],
  ]),
  of('services/intake/picture-fetching.ts', ADDRESS, [
    ['if (underWay >= MAX_AT_ONCE)', 'if (false)'],
    ["error.code === 'upload-incomplete'", 'false'],
  ]),
  of(
    'net/outgoing.ts',
    [...ADDRESS, 'net/outgoing'],
    [["(reach === 'trusted' && !isTrusted(url, currentlyTrusted))", 'false']],
  ),
  of('http/upload.ts', ADDRESS, [['if (Buffer.isBuffer(chunk) && chunk.length > room) {', 'if (false) {']]),
  of('services/interop/stopncii.ts', STOPNCII, [
    ['Math.max(sinceS, Math.floor(now() / 1000))', 'Math.floor(now() / 1000)'],
    ['registration.signalIdFor(bank, submitted(hash))', "''"],
  ]),
  of('store/scripts/organisations/fetch-cursors.ts', STOPNCII, [
    ['if tonumber(itsRevision) < tonumber(revision) then', 'if false then'],
    ["if part == '' or (itsPart ~= '' and tonumber(itsPart) < tonumber(part)) then", 'if false then'],
  ]),
  of('http/routes/stopncii.ts', STOPNCII, [
    ['nextPageToken: more ? token : null', 'nextPageToken: token'],
    ["!caller.scopes.has('signals:write')", 'false'],
  ]),
  of('services/interop/fetched-hashes.ts', STOPNCII, [
    ["view === 'whole' && frame === undefined ? [", 'frame === undefined ? ['],
    ['await fetched.settle(keyId, after)', 'await fetched.settle(keyId, Number.MAX_SAFE_INTEGER)'],
    ['holders.some((imageId) => current.has(imageId)) ? [] : [hash]', '[hash]'],
    ['(there[i] ? [imageId] : [])', '[imageId]'],
    ['&& isVisibleTo(bank, orgId)', ''],
  ]),
  of('store/exchange/fetched.ts', STOPNCII, [
    ['hash !== undefined && keyIds.includes(keyId) ? [hash]', 'hash !== undefined ? [hash]'],
  ]),
  of('store/scripts/images/fetched.ts', STOPNCII, [
    ["if redis.call('EXISTS', prefix .. 'withdrawn-keys:' .. hex) == 0 then", 'if true then'],
    ["if redis.call('HEXISTS', prefix .. 'api-keys', keyId) == 1 then", 'if true then'],
  ]),
  of('services/feed/feed.ts', FEED, [
    ['known === undefined || known.part !== undefined ? undefined : await', 'known === undefined ? undefined : await'],
  ]),
  of('services/feed/feed-changes.ts', FEED, [
    ['.filter((id) => !recent.changedAfter(id, end))', ''],
    ['ids.filter((id) => isGone.get(id))', 'ids.filter(() => false)'],
    ['filter((change) => change.revision <= until)', 'filter(() => true)'],
  ]),
  of('exchange/feeds/stopncii-feed.ts', PULLS, [
    ['Math.max(page.nextSetTimestamp, Number(highest))', 'page.nextSetTimestamp'],
    ["record.hashStatus === 'Withdrawn' || ", ''],
  ]),
  of('exchange/feeds/ncmec.ts', PULLS, [
    ["parser.on('doctype', refuse)", ''],
    ['!next.startsWith(ENTRIES)', 'false'],
    ['!ofAdults.includes(classification)', 'false'],
  ]),
  of('exchange/feeds/threatexchange.ts', PULLS, [
    ["url.searchParams.delete('access_token')", ''],
    ['update.should_delete || ', ''],
  ]),
  of('services/interop/full-resync.ts', PULLS, [
    ['now() - readAtMs < feed.tombstoneTtlMs', 'true'],
    ['kept.repeatSinceMs ?? kept.progress', 'kept.progress'],
    ['state = { ...state, repeatSinceMs: undefined }', ''],
  ]),
  of('services/interop/exchanges.ts', PULLS, [
    ['await store.noteNamed(name, named)', 'undefined'],
    ['if (isLast && state.repeatSinceMs !== undefined)', 'if (state.repeatSinceMs !== undefined)'],
  ]),
  of('app/exchange-jobs.ts', ['cli/exchange'], [['if (!waiting.some(', 'if (waiting.some(']]),
  of('exchange/unpack.ts', READERS, [
    ['plainBytes > counted.packed * limits.maxRatio', 'false'],
    ["isCut ? 'upload-incomplete' : 'body-unreadable'", "'body-unreadable'"],
  ]),
  of('exchange/csv-fields.ts', READERS, [["at = line.indexOf('\"', at + 2)", "at = line.indexOf('\"', at + 1)"]]),
  of('exchange/hma-requests.ts', RECONCILERS, [
    ['found.bank.name === hmaBank && Object.hasOwn(found.metadata?.collab ?? {}, hmaBank)', 'found.bank.name === hmaBank'],
    ["found && found.api === 'stop_ncii'", 'true'],
  ]),
  of('services/interop/hma-client.ts', RECONCILERS, [['usable(requests.isFeeding(exchange))', 'banks.length === 0']]),
  of('services/interop/reconciling.ts', RECONCILERS, [
    ['trustStatus: true, tombstone: true', 'trustStatus: false, tombstone: true'],
  ]),
  of('services/interop/content-checks.ts', RECONCILERS, [
    ['images[i]?.length === 0', 'false'],
    ['unknown > MAX_UNKNOWN &&', 'false &&'],
    ['thresholdBits: 0, depth', 'thresholdBits: undefined, depth'],
  ]),
].flat()

export const exchange = { mutations }
