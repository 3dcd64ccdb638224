import test from 'ava'
import { ParcomoloError } from '../../src/base/index.ts'
import { makeCodec } from '../../src/contract/index.ts'
import { decodeRecord } from '../../src/view/record.ts'

test('what stands for a batch that cannot be read is skipped with its reason, and is no marker', (t) => {
  const place = { topic: 'order-events', partition: 2, source: 'order', name: 'order-events/2' } as const
  const unreadable = new ParcomoloError('PARCOMOLO_LOG_BATCH_UNREADABLE', 'packed in a strange way')
  const record = { key: '', value: null, timestamp: 1, headers: {}, offset: 7 }
  t.is(decodeRecord({ place, record }, makeCodec([])), undefined)
  t.deepEqual(decodeRecord({ place, record: { ...record, unreadable } }, makeCodec([])), {
    ...{ place: 'order-events/2', offset: 7 },
    ...{ code: 'PARCOMOLO_LOG_BATCH_UNREADABLE', message: 'packed in a strange way' }
  })
})
