// Repeats attacks that once worked, each on a service of its own (test/attack).
//
//   npm run attack [-- --only TEXT] [--small]
//
// The status is 1 when one works again.

import '../dist/test/attack/main.js'
