// Requests of the benchmark, and the form that contains a picture.

import { Agent, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

const agent = new Agent({ keepAlive: true }) // a lean client: it shares the cores with what it measures
const BOUNDARY = 'picture-boundary'
export const FORM = { 'content-type': `multipart/form-data; boundary=${BOUNDARY}` }

/** Retries as `retryAfterS` says. For requests that are not measured: beside other load, Redis may be late. */
export async function patiently(...call) {
  for (;;) {
    try {
      return await json(...call)
    } catch (error) {
      if (error.retryAfterS === undefined) throw error
      await sleep(1000 * error.retryAfterS)
    }
  }
}

export function json(url, method, headers, body, expected) {
  const type = typeof body === 'string' ? { 'content-type': 'application/json' } : {}
  const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { method, agent, headers: { ...headers, ...type, ...length } }, async (response) => {
      const text = await response.toArray()
      const answer = JSON.parse(Buffer.concat(text).toString())
      if (response.statusCode === expected) resolve(answer)
      else {
        const { code = '', retryAfterS } = answer
        reject(Object.assign(new Error(`${method} answered ${response.statusCode} ${code}`), { retryAfterS }))
      }
    })
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

export function formOf(picture) {
  const head = `--${BOUNDARY}\r\ncontent-disposition: form-data; name="image"; filename="picture"\r\ncontent-type: image/jpeg\r\n\r\n`
  return Buffer.concat([Buffer.from(head), picture, Buffer.from(`\r\n--${BOUNDARY}--\r\n`)])
}
