/** Far more than ever waits while a process is there to read it. Beyond it the oldest are forgotten. */
const MOST_WAITING = 1_000_000

// How a script tells the process that sends webhooks, in the same step as what happened: nothing is acknowledged that nobody will hear of.
// Entries are erased when they have become deliveries.
export const outboxLua = `
    local function outbox (prefix, ...)
      return redis.call('XADD', prefix .. 'webhook-outbox', 'MAXLEN', '~', ${MOST_WAITING}, '*', ...)
    end`
