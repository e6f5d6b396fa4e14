// The routes of other tools, which openapi.yaml does not describe, with what their clients send as a starting point.

import type { Route } from './http.js'

const HASH = '93850b707585e404e4951a3ddc1f05a34b3d4f5fc081d616f46d8a2e8f1c8e68'
const JSON_BODY = ['application/json'] as const
const PICTURE = ['multipart/form-data'] as const
const NONE = [] as const

const HMA: readonly Route[] = [
  ...['/status', '/status/live', '/site-map', '/c/banks', '/c/bank/{bank}', '/c/signal_type', '/c/content_type'].map(get),
  ...['/c/exchanges', '/c/exchanges/apis', '/c/exchanges/api/{api}/schema', '/c/exchange/{exchange}/status'].map(get),
  ...['/c/bank/{bank}/content/{content}', '/c/signal_type/index', '/m/index/status'].map(get),
  get('/c/bank/{bank}/content/{content}?include_signals=true'),
  get(`/h/hash?url=https%3A%2F%2Fexample.com%2Fa.jpg&content_type=photo`),
  get(`/m/lookup?signal=${HASH}&signal_type=pdq`),
  get(`/m/lookup?url=https%3A%2F%2Fexample.com%2Fa.jpg&content_type=photo&include_distance=true`),
  get(`/m/raw_lookup?signal=${HASH}&signal_type=pdq&threshold=31`),
  post('/h/hash', PICTURE),
  post('/m/lookup', PICTURE),
  post('/m/compare', JSON_BODY),
  post('/c/banks', JSON_BODY),
  post('/c/bank/{bank}/content', PICTURE),
  post('/c/bank/{bank}/content?url=https%3A%2F%2Fexample.com%2Fa.jpg&content_type=photo', NONE),
  post('/c/bank/{bank}/signal', JSON_BODY),
  post('/c/exchanges', JSON_BODY),
  { method: 'PUT', path: '/c/bank/{bank}', reads: JSON_BODY },
  { method: 'PUT', path: '/c/signal_type/pdq', reads: JSON_BODY },
  { method: 'PUT', path: '/c/bank/{bank}/content/{content}', reads: JSON_BODY },
  { method: 'DELETE', path: '/c/bank/{bank}/content/{content}', reads: NONE },
]

export const FOREIGN_ROUTES: readonly Route[] = [
  ...HMA,
  ...HMA.map((route) => ({ ...route, path: `//hma/{key}/${route.path}` })),
  get('/stopncii/v1/FetchHashes?startTimestamp=0&pageSize=10&nextPageToken='),
  post('/stopncii/v1/SubmitHashes', JSON_BODY),
  post('/stopncii/v1/SubmitFeedback', JSON_BODY),
]

export const FOREIGN_BODIES: readonly object[] = [
  { pdq: HASH },
  { pdq: [HASH, HASH], vpdq: 'x' },
  { name: 'B', matching_enabled_ratio: 0.5, is_media_unavailable: true },
  { enabled_ratio: 1, disable_until_ts: 1_900_000_000 },
  { api: 'fb_threatexchange', bank: 'B', api_json: { privacy_group: 1 } },
  { count: 1, hashRecords: [{ hashValue: HASH, signalType: 'StopNCIISignalType.ImagePDQ', caseNumbers: { a: 'b' } }] },
  { count: 1, hashFeedbacks: [{ hashValue: HASH, feedbackValue: 'Blocked', tags: ['Nude'] }] },
]

function get(path: string): Route {
  return { method: 'GET', path, reads: NONE }
}

function post(path: string, reads: readonly string[]): Route {
  return { method: 'POST', path, reads }
}
