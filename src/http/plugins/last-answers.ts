// An api that is told to stop still answers what it was asked, and asks each caller to hang up with the answer: a connection
// that is kept alive would keep the process alive with it.

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
