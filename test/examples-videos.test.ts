import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import t from 'tap'
import { until } from './helpers/service.js'
import { startExample, telegram } from './helpers/telegram.js'

t.test('the bot sends videos and animations for matching, and reports the matching moment', async (t) => {
  const names: string[] = []
  const segment = { query: { fromMs: 64_000, toMs: 70_000 }, registered: { fromMs: 1000, toMs: 7000 } }
  const answers: Readonly<Record<string, [number, object]>> = {
    film: [200, { results: [{ matches: [{ matchId: 'm', grade: 'strong', disputed: false, segments: [segment] }] }] }],
    gif: [200, { results: [{ matches: [{ matchId: 'n', grade: 'near', disputed: false, queryMs: 3000 }] }] }],
    other: [200, { results: [{ matches: [] }] }],
    broken: [422, { code: 'video-undecodable', title: 'no video', status: 422 }],
    dark: [422, { code: 'quality-too-low', title: 'too plain', status: 422 }],
    empty: [400, { code: 'video-missing', title: 'no bytes', status: 400 }],
    large: [413, { code: 'video-file-too-large', title: 'too large', status: 413 }],
  }
  const reported: string[] = []
  const service = createServer(async (request, response) => {
    const body: Buffer[] = []
    for await (const chunk of request) body.push(Buffer.from(chunk))
    if (request.url !== '/v1/match/videos') {
      reported.push(request.url ?? '')
      return response.setHeader('content-type', 'application/json').end('{}')
    }
    const text = Buffer.concat(body).toString('latin1')
    const name = Object.keys(answers).find((each) => text.includes(`bytes of ${each}`)) ?? ''
    names.push(name)
    t.match(text, /name="video"/)
    t.match(request.headers, { authorization: 'Bearer key', 'content-length': String(Buffer.concat(body).length) })
    const [status, answer] = answers[name] ?? [500, {}]
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
  })
  service.listen(0, '127.0.0.1')
  await once(service, 'listening')
  t.teardown(() => service.close())
  const address = service.address()
  const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`

  const message = (id: number, content: object) => ({
    update_id: id,
    message: { message_id: id, chat: { id: -100, title: 'group' }, ...content },
  })
  const files = Object.fromEntries(Object.keys(answers).map((name) => [name, Buffer.from(`bytes of ${name}`)]))
  const chat = await telegram(t, files, [
    [
      message(1, { video: { file_id: 'film' } }),
      message(2, { animation: { file_id: 'gif' }, document: { file_id: 'gif', mime_type: 'video/mp4' } }),
      message(3, { document: { file_id: 'other', mime_type: 'video/webm' } }),
      message(4, { video_note: { file_id: 'broken' } }),
      ...['dark', 'empty', 'large'].map((file_id, k) => message(5 + k, { video: { file_id } })),
    ],
  ])
  const state = `${t.testdir({})}/state`
  const env = { PATH: process.env['PATH'], TABIR_URL: url, TABIR_API_KEY: 'key', ...chat.env }
  const bot = startExample(t, process.execPath, ['examples/telegram-bot.mjs', state], env)
  await until(() => names.length >= 7 && JSON.parse(readFileSync(state, 'utf8')).jobs.length === 0)

  t.same(names, Object.keys(answers), 'each is asked about once, also what cannot be matched')
  t.same(
    chat.of('deleteMessage').map(({ message_id }) => message_id),
    [1],
  )
  t.same(
    chat.of('sendMessage').map(({ text }) => text),
    [
      'A video (1:04 to 1:10) was removed: it is of somebody who does not want it shared.',
      'Please look at message 2 in group, at 0:03 of the video.',
    ],
  )
  t.match(reported, [/\/v1\/matches\/m\//])
  t.match(bot.text(), /check of message 4 in group: about a video: video-undecodable/)
})
