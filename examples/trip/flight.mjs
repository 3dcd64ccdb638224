// Flights: a participant over HTTP in Node. It knows nothing of Parcomolo but how a command comes and how it is answered.
import { mkdirSync } from 'node:fs'
import { createServer } from 'node:http'
import { DatabaseSync } from 'node:sqlite'

const { PORT = '7001', DATA = new URL('data', import.meta.url).pathname } = process.env
mkdirSync(DATA, { recursive: true })
const db = new DatabaseSync(`${DATA}/flight.sqlite`)
db.exec('CREATE TABLE IF NOT EXISTS flights (trip_id PRIMARY KEY, seat, cancelled)')
const flightOf = (tripId) => db.prepare('SELECT seat, cancelled FROM flights WHERE trip_id = ?').get(tripId)

const commands = {
  BookFlight({ tripId, to }) {
    const known = flightOf(tripId)
    // A command that comes after its undo is refused: it may have been on its way for long.
    if (known?.cancelled) return no('NoFlight', { tripId, reason: 'the trip was cancelled' })
    // A repeat has no second effect and gets the same answer.
    if (known !== undefined) return yes({ tripId, seat: known.seat })
    if (to === 'Atlantis') return no('NoFlight', { tripId, reason: 'nobody flies there' })
    const seat = `${1 + Math.floor(Math.random() * 30)}A`
    db.prepare('INSERT INTO flights VALUES (?, ?, FALSE)').run(tripId, seat)
    return yes({ tripId, seat })
  },
  CancelFlight({ tripId }) {
    // An undo is confirmed also where nothing was booked, and remembered.
    const cancel = 'INSERT INTO flights VALUES (?, NULL, TRUE) ON CONFLICT DO UPDATE SET cancelled = TRUE'
    db.prepare(cancel).run(tripId)
    return yes({ tripId })
  }
}

const yes = (body) => ({ status: 200, body })
const no = (error, body) => ({ status: 422, headers: { 'ce-type': error }, body })

const server = createServer(async (request, response) => {
  let text = ''
  for await (const part of request) text += part
  const { 'ce-type': type, 'ce-id': id, 'ce-attempt': attempt } = request.headers
  const command = commands[type]
  const { status, headers, body } = command?.(JSON.parse(text)) ?? { status: 404, body: {} }
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
  console.log(`${id} (${attempt}): ${status} ${JSON.stringify(body)}`)
})
server.listen(Number(PORT), () => console.log(`flights at http://localhost:${PORT}/commands`))
process.on('SIGTERM', () => process.exit())
