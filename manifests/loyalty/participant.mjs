// Awards loyalty points, and vouchers to those who have enough of them: a participant that knows nothing of Parcomolo but
// the rules in sagas/participants/README.md. Whatever fails ends the process; started again, it goes on where it was.
import { DatabaseSync } from 'node:sqlite'
import { SchemaRegistry } from '@kafkajs/confluent-schema-registry'
import { Kafka } from 'kafkajs'

const { KAFKA_BROKERS, SCHEMA_REGISTRY_URL, KAFKA_PREFIX = '', LOYALTY_DATABASE = 'loyalty.sqlite' } = process.env
const inbox = `${KAFKA_PREFIX}loyalty-commands`
const events = `${KAFKA_PREFIX}loyalty-events`
const voucherFrom = 100

const db = new DatabaseSync(LOYALTY_DATABASE)
db.exec('CREATE TABLE IF NOT EXISTS points (order_id PRIMARY KEY, customer_id, points, revoked)')
db.exec('CREATE TABLE IF NOT EXISTS answers (command_id PRIMARY KEY, record, fields)')
const one = (sql, ...values) => db.prepare(sql).get(...values)
const run = (sql, ...values) => db.prepare(sql).run(...values)

const handlers = {
  AwardPoints({ orderId, customerId, points }) {
    // Its undo has been here before it.
    if (one('SELECT 1 FROM points WHERE order_id = ? AND revoked', orderId)) return ['PointsClosed', { orderId }]
    run('INSERT OR IGNORE INTO points VALUES (?, ?, ?, FALSE)', orderId, customerId, points)
    const owned = 'SELECT SUM(points) AS balance FROM points WHERE customer_id = ? AND NOT revoked'
    return ['PointsAwarded', { orderId, points, balance: one(owned, customerId).balance }]
  },
  RevokePoints({ orderId }) {
    const points = one('SELECT points FROM points WHERE order_id = ?', orderId)?.points ?? 0
    // A row is written also where nothing was awarded: so an award that comes later is refused.
    run("INSERT INTO points VALUES (?, '', 0, TRUE) ON CONFLICT DO UPDATE SET revoked = TRUE", orderId)
    return ['PointsRevoked', { orderId, points }]
  },
  IssueVoucher({ orderId, balance }) {
    if (balance < voucherFrom) return ['TooFewPoints', { orderId, missing: voucherFrom - balance }]
    return ['VoucherIssued', { orderId, code: `THANKS-${orderId.slice(-6)}` }]
  }
}

/** Effect and answer are stored in one transaction; a command that comes again gets the same answer. */
const answerTo = (commandId, handler, command) => {
  const known = one('SELECT record, fields FROM answers WHERE command_id = ?', commandId)
  if (known) return [known.record, JSON.parse(known.fields)]
  db.exec('BEGIN')
  const [record, fields] = handler(command)
  run('INSERT INTO answers VALUES (?, ?, ?)', commandId, record, JSON.stringify(fields))
  db.exec('COMMIT')
  return [record, fields]
}

const registry = new SchemaRegistry({ host: SCHEMA_REGISTRY_URL })

/** Parcomolo has registered each record of the contract as TopicRecordName has it: <topic>-<full name>. */
const encoded = async (record, fields) =>
  registry.encode(await registry.getLatestSchemaId(`${events}-example.loyalty.${record}`), fields)

const kafka = new Kafka({ clientId: 'loyalty', brokers: KAFKA_BROKERS.split(',') })
const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 })
const consumer = kafka.consumer({ groupId: `${KAFKA_PREFIX}loyalty`, sessionTimeout: 6_000, heartbeatInterval: 1_000 })

const take = async ({ message }) => {
  const headers = Object.fromEntries(Object.entries(message.headers).map(([name, value]) => [name, String(value)]))
  const handler = handlers[headers.ce_type]
  // Anything else is no command of ours, and holds nothing up.
  if (handler === undefined) return
  const [record, fields] = answerTo(headers.ce_id, handler, await registry.decode(message.value))
  const answer = {
    key: message.key,
    value: await encoded(record, fields),
    // The one header that Parcomolo needs: which command this answers.
    headers: { ce_causationid: headers.ce_id, ce_id: `${headers.ce_id}/reply`, ce_type: record, ce_source: '/loyalty' }
  }
  await producer.send({ topic: events, acks: -1, messages: [answer] })
  console.log(JSON.stringify([headers.ce_id, record, fields]))
}

consumer.on(consumer.events.CRASH, () => process.exit(1))
process.once('SIGTERM', async () => {
  await consumer.disconnect()
  await producer.disconnect()
})
await producer.connect()
await consumer.connect()
await consumer.subscribe({ topic: inbox, fromBeginning: true })
await consumer.run({ eachMessage: take })
