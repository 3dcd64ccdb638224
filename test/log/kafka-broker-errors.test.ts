import { createRequire } from 'node:module'
import test from 'ava'
import { ParcomoloError } from '../../src/base/index.ts'
import { asRefused, BrokerRefusal, errorName, passes } from '../../src/log/kafka/broker-errors.ts'

const { createErrorFromCode } = createRequire(import.meta.url)('kafkajs/src/protocol/error') as {
  createErrorFromCode: (code: number) => Error
}

test("a broker's error has the name that Kafka gives it", (t) => {
  t.is(errorName(3), 'UNKNOWN_TOPIC_OR_PARTITION (error 3)')
  t.is(errorName(10), 'MESSAGE_TOO_LARGE (error 10)')
  t.is(errorName(90), 'PRODUCER_FENCED (error 90)')
  t.is(errorName(12_345), 'error 12345')
  t.is(new BrokerRefusal(19, 'x').message, 'x: the broker answered with NOT_ENOUGH_REPLICAS (error 19)')
})

test('only what rights can cure is said to be about rights', (t) => {
  const said = (code: number): string => asRefused('an append', createErrorFromCode(code)).message
  for (const code of [29, 30, 31, 53]) t.regex(said(code), /; expected the right to do it; check the ACLs/)
  t.regex(said(23), /; expected a group in which only processes of this installation are; .+--describe --members/)
  for (const code of [2, 42, 44, 87]) t.regex(said(code), /nothing is wrong with the log-in/)
  const refused = asRefused('an append', new BrokerRefusal(87, 'append'))
  t.is(refused.code, 'PARCOMOLO_LOG_REFUSED')
  const own = new ParcomoloError('PARCOMOLO_LOG_CLOSED', 'closed')
  t.is(asRefused('an append', own), own)
})

test('a topic that is missing, or takes too little, is waited for', (t) => {
  for (const code of [3, 10, 18, 100]) t.true(passes(new BrokerRefusal(code, 'x')), String(code))
  for (const code of [29, 47, 87]) t.false(passes(new BrokerRefusal(code, 'x')), String(code))
})
