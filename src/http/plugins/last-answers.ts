// While an api stops, it still answers open requests and closes each connection with the answer. Idle keep-alive connections would keep the
// process running.

import fp from 'fastify-plugin'

export const lastAnswers = fp(
  async (app) => {
    let isClosing = false
    app.addHook('preClose', async () => {
      isClosing = true
    })
    app.addHook('onSend', (_request, reply, _payload, done) => {
      if (isClosing) reply.header('connection', 'close')
      done()
    })
  },
  { name: 'last-answers', fastify: '5.x' },
)
